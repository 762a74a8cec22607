/** Questions one after another, a few at a time: a wall of 64 must not fill the node's door. */

export const AT_ONCE_MAX = 4

let running = 0
const waiting: (() => void)[] = []

export async function inTurn<T>(ask: () => Promise<T>): Promise<T> {
  if (running >= AT_ONCE_MAX) await new Promise<void>((go) => waiting.push(go))
  else running += 1
  try {
    return await ask()
  } finally {
    const next = waiting.shift()
    if (next) next() // the place goes over to whoever waits longest
    else running -= 1
  }
}
