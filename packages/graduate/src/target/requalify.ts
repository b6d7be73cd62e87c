/**
 * Rewrites `"schema".` in front of names according to `rename`, and leaves out CREATE SCHEMA statements.
 * Texts, comments and dollar quotes are passed over.
 */
export function requalify(sql: string, rename: (schema: string) => string): string {
  const token =
    /'(?:[^']|'')*'|--[^\n]*|\/\*[\s\S]*?\*\/|\$(\w*)\$[\s\S]*?\$\1\$|"((?:[^"]|"")*)"(\s*\.\s*)?(?=(")?)/g
  const renamed = sql.replace(
    token,
    (whole: string, _tag: unknown, name: string | undefined, dot: string | undefined) => {
      if (name === undefined || dot === undefined) return whole
      return `"${rename(name.replaceAll('""', '"')).replaceAll('"', '""')}".`
    },
  )
  return renamed.replace(/^\s*CREATE SCHEMA IF NOT EXISTS "(?:[^"]|"")*";\s*$/gm, '')
}
