import { Failure } from '@outgrow/kit'

interface Range {
  least?: number
  most?: number
  isWhole?: boolean
}

/** The number that an option was given. @throws Failure OUTGROW_OPTION_INVALID */
export function numberOf(
  option: string,
  text: string,
  { least = 0, most = Number.MAX_SAFE_INTEGER, isWhole = false }: Range = {},
): number {
  const number = Number(text)
  if (text.trim() !== '' && number >= least && number <= most && (!isWhole || Number.isInteger(number)))
    return number
  throw new Failure({
    code: 'OUTGROW_OPTION_INVALID',
    message: `--${option} ${text} is not a ${isWhole ? 'whole number' : 'number'} from ${least} to ${most}.`,
    fix: `Pass another --${option}, or leave it out.`,
  })
}
