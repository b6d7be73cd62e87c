import { switchChecklist } from './checklist.ts'
import { switchConnection } from './switch-connection.ts'

export interface SwitchRequest {
  /** The application's `.env` file. */
  file: string
  /** Path of the schema, by which its project is found, or `introspect`. */
  schema: string
}

/** What became of the switch, for the user. */
export type Switching =
  | { state: 'not asked for'; to: string; isAdvised: boolean }
  | { state: 'refused'; file: string; isQuarantined: boolean }
  | { state: 'done'; done: string; checklist: string[] }

/** Points the application at the target of a move, where that was asked for and the move allows it. */
export function switchOver(
  asked: SwitchRequest | undefined,
  move: { maySwitch: boolean; isQuarantined: boolean; advanced: boolean; to: string },
): Switching {
  const { maySwitch, isQuarantined, advanced, to } = move
  if (asked === undefined) return { state: 'not asked for', to, isAdvised: !advanced }
  if (!maySwitch) return { state: 'refused', file: asked.file, isQuarantined }
  return {
    state: 'done',
    done: switchConnection(asked.file, to),
    checklist: switchChecklist(asked.schema),
  }
}
