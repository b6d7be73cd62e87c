const secretNames = /^(pass|passwd|pwd|password|sslpassword|sslkey|api_?key|(access_?)?token|secret)$/i

/**
 * A database URL that may be printed: the password and any secret-looking parameter are hidden. One that cannot be read is
 * hidden whole, since nobody knows what of it is the secret.
 */
export function redactUrl(url: string): string {
  if (/^file:/i.test(url) || !/^[a-z][a-z0-9+.-]*:\/\//i.test(url)) return url
  let parsed: URL
  try {
    parsed = new URL(url)
  } catch {
    return `${/^[a-z0-9+.-]+/i.exec(url)?.[0] ?? ''}://***`
  }
  if (parsed.password !== '') parsed.password = '***'
  const names = Array.from(parsed.searchParams.keys()).filter((name) => secretNames.test(name))
  for (const name of names) parsed.searchParams.set(name, '***')
  return parsed.href
}
