/** A moment, the same everywhere in the console: UTC, to the second. */
export function Moment({ at }: { at: Date | string }) {
  const iso = typeof at === 'string' ? at : at.toISOString()
  return <time datetime={iso}>{momentText(iso)}</time>
}

export function momentText(iso: string): string {
  return `${iso.slice(0, 19).replace('T', ' ')} UTC`
}
