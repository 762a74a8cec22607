/** What one person reads to another over the telephone, as the other types it. */

export const GROUP = 4

/** Groups of four of whatever was typed, without what only separates. */
export function readAloud(typed: string): string[] {
  const digits = typed.toLowerCase().replace(/[^0-9a-z]/g, '')
  return digits.match(new RegExp(`.{1,${GROUP}}`, 'g')) ?? []
}

export const isSame = (typed: string, fingerprint: string): boolean =>
  fingerprint !== '' && readAloud(typed).join(' ') === readAloud(fingerprint).join(' ')
