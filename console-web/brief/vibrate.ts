/** Makes the phone vibrate for these ms, still in between, where it can and may: browsers refuse it,
 * with a word in the console, until somebody has touched the page. */
export function vibrate(pattern: readonly number[]): void {
  if (navigator.userActivation?.hasBeenActive ?? true) navigator.vibrate?.([...pattern])
}
