let aheadMs = 0

/** Puts this process' clock ahead of the others', or behind, as on a machine whose clock is wrong. */
export function setClock(ms: number): void {
  aheadMs = ms
}

const RealDate = Date
const now = () => RealDate.now() + aheadMs

globalThis.Date = new Proxy(RealDate, {
  construct: (target, given, newTarget) =>
    Reflect.construct(target, given.length === 0 ? [now()] : given, newTarget) as Date,
  apply: () => new RealDate(now()).toString(),
  get: (target, name) => (name === 'now' ? now : (Reflect.get(target, name) as unknown)),
})
