import { runGraduate, type GraduationReport } from '@outgrow/graduate'
import { graduateRun, requiredTarget, type GraduateOptions } from './graduate-options.ts'
import { runSettings, sourceOf } from './move-options.ts'
import type { CommandContext } from './output/run.ts'
import { graduateListener, printGraduated } from './render/graduate.ts'

/** Begins a graduation, or goes on with one, and prints it. */
export async function startGraduation(
  options: GraduateOptions,
  { terminal, signal }: CommandContext,
): Promise<GraduationReport> {
  const run = graduateRun(
    options,
    runSettings(options, sourceOf(options), signal),
    await requiredTarget(options.to),
  )
  const { done, ...listener } = graduateListener(terminal, run)
  const report = await runGraduate(run, listener).finally(done)
  printGraduated(terminal, report)
  return report
}
