/** A database URL that may be printed: the password and any secret-looking parameter are hidden. */
export function redactUrl(url: string): string {
  return url
    .replace(/^([a-z][a-z0-9+.-]*:\/\/[^:@/?#]*):[^@]*@/i, '$1:***@')
    .replace(/([?&](?:password|sslpassword|sslkey|api_?key|token)=)[^&]*/gi, '$1***')
}
