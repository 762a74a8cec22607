/** Draws pictures into a canvas, no larger than it is seen. */

export const CANVAS_PX_MAX = 3840

export interface Drawable {
  width: number
  height: number
  image: CanvasImageSource
}

/** The canvas's own size for a picture shown in a box: never more than the picture has. */
export function canvasSize(
  picture: { width: number; height: number },
  box: { width: number; height: number },
  ratio: number,
): { width: number; height: number } {
  const room = Math.max((box.width * ratio) / picture.width, (box.height * ratio) / picture.height)
  const scale = Math.min(1, room || 1, CANVAS_PX_MAX / picture.width)
  return {
    width: Math.max(1, Math.round(picture.width * scale)),
    height: Math.max(1, Math.round(picture.height * scale)),
  }
}

export function draw(canvas: HTMLCanvasElement, { width, height, image }: Drawable): void {
  const box = { width: canvas.clientWidth, height: canvas.clientHeight }
  const size = canvasSize({ width, height }, box, devicePixelRatio)
  // Only with a picture in hand: a canvas that is resized is empty.
  if (canvas.width !== size.width || canvas.height !== size.height) Object.assign(canvas, size)
  canvas.getContext('2d', { alpha: false })?.drawImage(image, 0, 0, size.width, size.height)
}
