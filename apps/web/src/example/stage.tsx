import { Stage } from '@outgrow/db'

/** The stages in the order of the way, as visitors read them. */
export const stages: { stage: Stage; label: string; text: string }[] = [
  { stage: Stage.IDEA, label: 'Idea', text: 'SQLite, and all is well' },
  { stage: Stage.GROWING, label: 'Growing', text: 'thousands of users, still one file' },
  { stage: Stage.OUTGROWN, label: 'Outgrown', text: 'writers wait for each other' },
  { stage: Stage.GRADUATED, label: 'Graduated', text: 'on Postgres' },
]

export function isStage(text: string | undefined): text is Stage {
  return text !== undefined && Object.hasOwn(Stage, text)
}

/** How far a product has come, as four steps and a word. */
export function StageMark({ stage }: { stage: Stage }) {
  const at = stages.findIndex((one) => one.stage === stage)
  return (
    <span class={`stage s${at}`}>
      <span class="steps" aria-hidden="true">
        {stages.map((_, step) => (
          <i class={step <= at ? 'on' : ''} />
        ))}
      </span>
      {stages[at]?.label}
    </span>
  )
}
