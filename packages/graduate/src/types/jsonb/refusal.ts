/** A JSON text that Postgres' `jsonb` does not take, with the reason. */
export class JsonbRefusal extends Error {}

export function invalidJson(): JsonbRefusal {
  return new JsonbRefusal('is not valid JSON')
}
