/**
 * Who looks, when, and under which permit, drawn over every picture so that a photo of the screen
 * tells it. Faint, in two inks, so that it shows on snow and at night.
 */

const STEP_X_MIN = 220
const STEP_Y = 92
const TURN = -Math.PI / 9

export function drawWatermark(canvas: HTMLCanvasElement, words: string): void {
  const ratio = devicePixelRatio
  const { clientWidth: width, clientHeight: height } = canvas
  if (!width || !height) return
  canvas.width = Math.round(width * ratio)
  canvas.height = Math.round(height * ratio)
  const ink = canvas.getContext('2d')
  if (!ink) return
  ink.scale(ratio, ratio)
  ink.font = `600 ${width < 260 ? 10 : 13}px system-ui, sans-serif`
  ink.textBaseline = 'middle'
  const stepX = Math.max(STEP_X_MIN, ink.measureText(words).width + 60)
  ink.translate(width / 2, height / 2)
  ink.rotate(TURN)
  const reach = Math.hypot(width, height) / 2
  for (let y = -reach, row = 0; y <= reach; y += STEP_Y, row += 1) {
    for (let x = -reach - (row % 2) * (stepX / 2); x <= reach; x += stepX) {
      ink.strokeStyle = 'rgb(0 0 0 / 16%)'
      ink.lineWidth = 2
      ink.strokeText(words, x, y)
      ink.fillStyle = 'rgb(255 255 255 / 20%)'
      ink.fillText(words, x, y)
    }
  }
}
