/** `PgBouncer 1.18.0` in parts; undefined for what is no version. */
export function versionOf(text: string | undefined): [number, number, number] | undefined {
  const [, major, minor, patch = '0'] = /(\d+)\.(\d+)(?:\.(\d+))?/.exec(text ?? '') ?? []
  return major === undefined || minor === undefined
    ? undefined
    : [Number(major), Number(minor), Number(patch)]
}
