/** Asks for the passwords of others: a role of the server with nothing but that. */
export const authRole = 'outgrow_pooler'

/** Reads the pooler's own numbers: known to the pooler alone. */
export const statsUser = 'outgrow_stats'
