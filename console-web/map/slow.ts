/** Should moving things be painted only twice a second? Asked for, or the processor draws. */

const SOFTWARE = /swiftshader|llvmpipe|software|basic render/i

let known: boolean | null = null

export function isSlow(): boolean {
  known ??=
    new URLSearchParams(location.search).has('slow') ||
    matchMedia('(prefers-reduced-motion: reduce)').matches ||
    SOFTWARE.test(renderer())
  return known
}

/** What draws, as the browser names it; empty where it does not tell. */
function renderer(): string {
  const gl = document.createElement('canvas').getContext('webgl')
  if (!gl) return ''
  const name = String(gl.getParameter(gl.RENDERER))
  const told = gl.getExtension('WEBGL_debug_renderer_info')
  const full = told ? String(gl.getParameter(told.UNMASKED_RENDERER_WEBGL)) : name
  gl.getExtension('WEBGL_lose_context')?.loseContext()
  return `${name} ${full}`
}
