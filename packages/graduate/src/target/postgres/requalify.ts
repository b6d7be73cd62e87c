/**
 * Rewrites a schema in front of names according to `rename`, quoted or not, and leaves out CREATE SCHEMA statements.
 * Texts, comments and dollar quotes are passed over.
 */
export function requalify(sql: string, rename: (schema: string) => string): string {
  const token =
    /'(?:[^']|'')*'|--[^\n]*|\/\*[\s\S]*?\*\/|\$(\w*)\$[\s\S]*?\$\1\$|"((?:[^"]|"")*)"(\s*\.\s*)?|(?<![\w$."])([A-Za-z_][\w$]*)\s*\.(?=\s*["A-Za-z_])/g
  const renamed = sql.replace(
    token,
    (
      whole: string,
      _tag: unknown,
      name: string | undefined,
      dot: string | undefined,
      bare: string | undefined,
    ) => {
      if (bare !== undefined) {
        const schema = rename(bare.toLowerCase())
        return schema === bare.toLowerCase() ? whole : `"${schema.replaceAll('"', '""')}".`
      }
      if (name === undefined || dot === undefined) return whole
      return `"${rename(name.replaceAll('""', '"')).replaceAll('"', '""')}".`
    },
  )
  return renamed.replace(/^\s*CREATE SCHEMA IF NOT EXISTS "(?:[^"]|"")*";\s*$/gm, '')
}
