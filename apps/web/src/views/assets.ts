import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'

const styles = ['style.css']
styles.push('example/style.css') // example

/** Beside the compiled file, and above this one in the source. */
const folder = import.meta.filename.endsWith('main.js') ? './' : '../'

export const style = styles
  .map((name) => readFileSync(new URL(`${folder}${name}`, import.meta.url), 'utf8'))
  .join('\n')

/** The style's hash is in its address, so that browsers keep it for good and never show an old one. */
export const stylePath = `/style-${createHash('sha256').update(style).digest('hex').slice(0, 12)}.css`

/** The brand's four steps. */
export const icon =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32" fill="#3d4fd1"><rect x="3" y="21" width="5" height="7" rx="1"/><rect x="10" y="15" width="5" height="13" rx="1"/><rect x="17" y="10" width="5" height="18" rx="1"/><rect x="24" y="4" width="5" height="24" rx="1"/></svg>'
