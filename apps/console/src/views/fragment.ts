import type { HtmlEscapedString } from 'hono/utils/html'

/** A piece of a page as text. Pieces wait for nothing. */
export function fragmentOf(piece: HtmlEscapedString | Promise<HtmlEscapedString>): string {
  if (piece instanceof Promise) throw new TypeError('a piece of a page must not wait')
  return piece.toString()
}
