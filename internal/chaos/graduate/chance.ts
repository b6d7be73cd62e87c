import { chancesOf } from '../lifecycle.ts'

/** Choices by a seed: the same for the same seed. */
export interface Chance {
  /** From 0 up to, and without, `below`. */
  whole(below: number): number
  /** True so often, from 0 to 1. */
  is(share: number): boolean
  one<Choice>(of: readonly Choice[]): Choice
  /** Each as often as its weight says. */
  weighted<Choice>(of: readonly (readonly [number, Choice])[]): Choice
}

export function chanceOf(...seeds: number[]): Chance {
  const next = chancesOf(seeds.reduce((sum, seed) => Math.imul(sum ^ seed, 0x9e3779b1) + 0x7f4a7c15, 1))
  const whole = (below: number) => Math.floor(next() * below)
  return {
    whole,
    is: (share) => next() < share,
    one: (of) => of[whole(of.length)] as (typeof of)[number],
    weighted: (of) => {
      let at = next() * of.reduce((sum, [weight]) => sum + weight, 0)
      for (const [weight, choice] of of) if ((at -= weight) < 0) return choice
      return (of.at(-1) as (typeof of)[number])[1]
    },
  }
}
