/**
 * The signed document, cut into blocks that can be set on a page.
 *
 * In: its text. Out: headings, sentences, lists and the machine's terms, in their order.
 * Never: a word left out; who wants the exact bytes has them beside it.
 */

export type Block =
  | { kind: 'heading'; level: 1 | 2 | 3; text: string }
  | { kind: 'paragraph'; text: string }
  | { kind: 'list'; items: string[] }
  | { kind: 'terms'; text: string }

export function blocksOf(document: string): Block[] {
  const blocks: Block[] = []
  const lines = document.split(/\r?\n/)
  let at = 0
  while (at < lines.length) {
    const line = lines[at]!
    if (/^(```|\+\+\+)/.test(line)) {
      const fence = line.slice(0, 3)
      const end = lines.findIndex((l, i) => i > at && l.trimEnd() === fence)
      const until = end === -1 ? lines.length : end
      blocks.push({ kind: 'terms', text: lines.slice(at + 1, until).join('\n') })
      at = until + 1
      continue
    }
    const heading = /^(#{1,3})\s+(.*)$/.exec(line)
    if (heading) blocks.push({ kind: 'heading', level: heading[1]!.length as 1 | 2 | 3, text: heading[2]! })
    else if (/^[-*]\s+/.test(line)) addItem(blocks, line.replace(/^[-*]\s+/, ''), lines[at - 1])
    else if (line.trim()) addLine(blocks, line.trim(), lines[at - 1])
    at += 1
  }
  return blocks
}

function addItem(blocks: Block[], text: string, before: string | undefined): void {
  const last = blocks.at(-1)
  if (last?.kind === 'list' && before?.trim()) last.items.push(text)
  else blocks.push({ kind: 'list', items: [text] })
}

/** A line goes on with the paragraph or the item above it, unless an empty one stands between. */
function addLine(blocks: Block[], text: string, before: string | undefined): void {
  const last = blocks.at(-1)
  if (last?.kind === 'paragraph' && before?.trim()) last.text += ` ${text}`
  else if (last?.kind === 'list' && before?.trim()) last.items[last.items.length - 1] += ` ${text}`
  else blocks.push({ kind: 'paragraph', text })
}

/** SHA-256 of the exact bytes, hexadecimal; null where this browser does not reckon it here. */
export async function digestOf(document: string): Promise<string | null> {
  if (!globalThis.crypto?.subtle) return null
  const hash = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(document))
  return [...new Uint8Array(hash)].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}
