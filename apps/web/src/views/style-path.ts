import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'

export const style = readFileSync(new URL('../style.css', import.meta.url), 'utf8')

/** The style's hash is in its address, so that browsers keep it for good and never show an old one. */
export const stylePath = `/style-${createHash('sha256').update(style).digest('hex').slice(0, 12)}.css`
