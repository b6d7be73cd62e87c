/** Whether a row has these values; dates by their time. */
export function sameValues<Row extends object>(row: Row, data: Partial<Row>): boolean {
  return Object.entries(data).every(([name, value]) => {
    const stored = row[name as keyof Row] as unknown
    return stored instanceof Date && value instanceof Date
      ? stored.getTime() === value.getTime()
      : stored === value
  })
}
