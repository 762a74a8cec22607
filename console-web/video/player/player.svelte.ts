/**
 * One camera on one screen: its line, whatever decodes, and what can be said about the picture.
 *
 * In: a camera, a canvas and a video element. Out: reactive words for the tile around them.
 * Never: a line kept open where nobody can see the picture.
 *
 * Pictures go past the framework; only what a tile writes is reactive, and that four times a second.
 */

import { ApiError, post } from '../../wire/api'
import type { Mode, PictureState, PictureWord, Quality, Terms, WatchGrant } from '../../wire/video'
import { inTurn } from './asking'
import { Ages, type Freshness } from './age'
import { UnitDecoder } from './decoder'
import { Line, NotGranted, type Phase, type PictureSocket, type Refusal } from './line'
import { MsePlayer } from './mse'
import { abilities, modesOf, nextMode } from './mode'
import { draw } from './paint'
import type { Picture } from './picture'
import type { Lost } from './retry'
import { Sight } from './sight'

const LOOKED_AT_EVERY_MS = 250
const SELDOM_LOOKED_AT_MS = 1_000 // at key frames and stills: a wall has 64 of them
const BROKEN_MAX = 2

export interface PlayerOptions {
  cameraId: string
  incidentId?: string | null
  quality: Quality
  once?: boolean // one picture, then the line is closed
  frugal?: boolean // over a poor line: stills where pictures break off
  onPermit?: (permit: number) => void
}

export interface Target {
  canvas: HTMLCanvasElement
  video: HTMLVideoElement
}

/** How a person's screen stands to one camera's picture. */
export class Player {
  phase = $state<Phase>('off')
  lost = $state<Lost | null>(null)
  state = $state<PictureState>('unknown')
  stateSays = $state('')
  stateDo = $state('')
  refusal = $state.raw<Refusal | null>(null)
  cannot = $state(false)
  isRested = $state(false)
  quality = $state<Quality>('key') // what is really sent
  why = $state<'slow' | 'asked' | 'unslow' | 'no_sub' | null>(null)
  mode = $state<Mode>('units')
  isStill = $state(false) // JPEG after JPEG
  ageMs = $state<number | null>(null)
  delayMs = $state<number | null>(null)
  freshness = $state<Freshness>('none')
  watermark = $state('')
  terms = $state.raw<Terms>({})
  permit = $state<number | null>(null)
  ratio = $state(16 / 9)

  readonly ages = new Ages()
  #line: Line
  #modes = modesOf(abilities())
  #decoder: UnitDecoder
  #mse: MsePlayer | null = null
  #wish: Quality
  #incidentId: string | null
  #targets: Target[] = [] // the last one is drawn on
  #stillNext: Picture | null = null
  #stillBusy = false
  #timer: ReturnType<typeof setTimeout> | undefined
  #broken = 0 // times in a row that pictures broke off
  #wanted = false // open whenever the page can be seen

  constructor(private readonly options: PlayerOptions) {
    this.mode = this.#modes[0] ?? 'still'
    this.quality = this.#wish = options.quality
    this.#incidentId = options.incidentId ?? null
    this.#decoder = new UnitDecoder({
      onPicture: (frame, meta) => {
        this.#paint(frame.displayWidth, frame.displayHeight, frame)
        this.ages.shown(meta.receivedMs, this.#line.nodeNow(), !meta.isCatchUp)
      },
      onSkipped: () => undefined,
      onCannot: () => this.#fallBack('units'),
    })
    this.#line = new Line(
      {
        ask: () => this.#ask(),
        open: pictureSocket,
        now: () => performance.timeOrigin + performance.now(),
        later,
        random: Math.random,
        onPhase: (phase) => this.#phased(phase),
        onGrant: (grant) => this.#granted(grant),
        onWord: (word) => this.#hear(word),
        onPicture: (picture) => this.#take(picture),
        onRefused: (refusal) => (this.refusal = refusal),
      },
      this.mode,
      options.quality,
    )
  }

  /** Draws here until the returned call, then where it drew before: enlarging is no second viewing. */
  drawOn(target: Target): () => void {
    this.#targets = [...this.#targets, target]
    this.#retarget()
    return () => {
      this.#targets = this.#targets.filter((t) => t !== target)
      if (this.#targets.length) this.#retarget()
    }
  }

  /** Opens the camera for as long as the page can be seen. Returns the way to stop. */
  open(): () => void {
    this.#wanted = true
    if (!document.hidden) this.#line.start()
    this.#lookAgain()
    const sight = new Sight({
      isHidden: () => document.hidden,
      later,
      onSeen: () => {
        if (this.#wanted && this.phase === 'off') this.#line.start()
      },
      onUnseen: () => this.#line.stop(),
    })
    const seen = () => sight.changed()
    document.addEventListener('visibilitychange', seen)
    return () => {
      document.removeEventListener('visibilitychange', seen)
      clearTimeout(this.#timer)
      sight.end()
      this.#wanted = false
      this.#line.stop()
      this.#closeDecoders()
    }
  }

  /** A person asks again, after a refusal or an end. */
  again(): void {
    this.cannot = false
    this.isRested = false
    this.#wanted = true
    this.ages.drawn = 0
    this.refusal = null
    this.#line.start()
  }

  /** For which incident it is asked from now on: one that was closed is none. */
  setIncident(incidentId: string | null): void {
    this.#incidentId = incidentId
  }

  setQuality(quality: Quality): void {
    this.#wish = quality
    this.#line.setQuality(quality)
  }

  get #target(): Target | undefined {
    return this.#targets.at(-1)
  }

  /** A video element cannot take over what another one holds; a canvas waits for the next picture. */
  #retarget(): void {
    if (this.mode !== 'mse' || this.phase !== 'open') return
    this.#closeDecoders()
    this.#line.restart()
  }

  async #ask(): Promise<WatchGrant> {
    const { cameraId } = this.options
    try {
      return await inTurn(() =>
        post<WatchGrant>(`/api/cameras/${encodeURIComponent(cameraId)}/watch`, {
          quality: this.#wish,
          ...(this.#incidentId ? { incident_id: this.#incidentId } : {}),
        }),
      )
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      const isAway = error.isOffline || error.status === 429 || error.status === 503
      throw new NotGranted(isAway ? null : { says: error.says, act: error.act, word: error.word })
    }
  }

  #granted(grant: WatchGrant): void {
    this.refusal = null
    this.watermark = grant.watermark
    this.terms = grant.terms ?? {}
    this.permit = grant.permit
    this.options.onPermit?.(grant.permit)
    if (this.phase !== 'open') this.state = grant.state
  }

  #phased(phase: Phase): void {
    this.phase = phase
    this.lost = this.#line.lost
    if (phase !== 'open') this.#closeDecoders()
    if (phase === 'again' && this.lost === 'line') this.#broken += 1
    if (this.options.frugal && this.#broken >= BROKEN_MAX && this.mode !== 'still') {
      this.mode = 'still'
      this.#line.nextMode('still')
    }
  }

  /** One picture is there and no more is wanted; it stays, with its age. */
  #rest(): void {
    this.isRested = true
    this.#wanted = false
    this.#line.stop()
  }

  #hear(word: PictureWord): void {
    switch (word.k) {
      case 'open':
        this.ages.newRhythm()
        this.#rhythm(word.quality)
        this.isStill = word.codec === 'jpeg'
        break
      case 'state':
        this.state = word.state
        this.stateSays = word.says ?? ''
        this.stateDo = word.do ?? ''
        break
      case 'quality':
        this.#rhythm(word.quality)
        this.why = word.why ?? null
        break
      case 'init':
        this.#beginMse(word.codec)
        break
      case 'end':
        this.stateSays = word.says ?? ''
        this.stateDo = word.do ?? ''
        break
    }
  }

  #rhythm(quality: Quality): void {
    if (quality !== this.quality) this.ages.newRhythm()
    this.quality = quality
  }

  #take(picture: Picture): void {
    if (picture.isJpeg) this.#takeStill(picture)
    else if (this.mode === 'units') this.#decoder.take(picture)
    else if (this.mode === 'mse') this.#mse?.append(picture)
  }

  #beginMse(codec: string): void {
    const video = this.#target?.video
    if (!video) return
    this.#mse ??= new MsePlayer(video, {
      onPicture: (receivedMs) => {
        if (video.videoWidth) this.ratio = video.videoWidth / video.videoHeight
        this.ages.shown(receivedMs, this.#line.nodeNow(), true)
      },
      onCannot: () => this.#fallBack('mse'),
    })
    this.#mse.begin(codec)
  }

  #takeStill(picture: Picture): void {
    this.isStill = true
    this.#stillNext = picture // only the newest is worth decoding
    if (!this.#stillBusy) void this.#drawStills()
  }

  async #drawStills(): Promise<void> {
    this.#stillBusy = true
    try {
      while (this.#stillNext) {
        const picture = this.#stillNext
        this.#stillNext = null
        const image = await createImageBitmap(new Blob([picture.data], { type: 'image/jpeg' }))
        this.#paint(image.width, image.height, image)
        image.close()
        this.ages.shown(picture.receivedMs, this.#line.nodeNow(), !picture.isCatchUp)
      }
    } catch {
      this.state = 'not_a_picture'
    } finally {
      this.#stillBusy = false
    }
  }

  #paint(width: number, height: number, image: CanvasImageSource): void {
    const canvas = this.#target?.canvas
    if (!canvas || !width || !height) return
    if (Math.abs(this.ratio - width / height) > 0.01) this.ratio = width / height
    draw(canvas, { width, height, image })
  }

  #fallBack(from: Mode): void {
    if (from !== this.mode) return // told late, by what was given up already
    const next = nextMode(this.#modes, this.mode)
    this.#closeDecoders()
    if (!next) {
      this.cannot = true
      this.#line.stop()
      return
    }
    this.mode = next
    this.ages.newRhythm()
    this.#line.setMode(next)
  }

  #closeDecoders(): void {
    this.#decoder.close()
    this.#mse?.close()
    this.#mse = null
    this.#stillNext = null
  }

  #lookAgain(): void {
    this.#look()
    const isSeldom = this.quality === 'key' || this.isStill || this.mode === 'still'
    // What is not there yet is looked for often.
    const every = isSeldom && this.freshness !== 'none' ? SELDOM_LOOKED_AT_MS : LOOKED_AT_EVERY_MS
    // All tiles in the same instant: one painting of the page instead of 64.
    const wait = every - (performance.now() % every)
    this.#timer = setTimeout(() => this.#lookAgain(), wait)
  }

  #look(): void {
    const now = this.#line.nodeNow()
    const isStill = this.isStill || this.mode === 'still'
    this.ageMs = this.ages.ageMs(now)
    this.delayMs = this.ages.delayMs
    this.freshness = this.ages.freshness(now, this.quality, isStill)
    if (this.options.once && !this.isRested && this.ages.drawn > 0) this.#rest()
  }
}

function later(run: () => void, ms: number): () => void {
  const timer = setTimeout(run, ms)
  return () => clearTimeout(timer)
}

function pictureSocket(url: string): PictureSocket {
  const socket = new WebSocket(url)
  socket.binaryType = 'arraybuffer'
  const like: PictureSocket = {
    onopen: null,
    onmessage: null,
    onclose: null,
    send: (text) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(text)
    },
    close: () => socket.close(),
  }
  socket.onopen = () => like.onopen?.()
  socket.onmessage = (event) => like.onmessage?.(event.data as string | ArrayBuffer)
  socket.onclose = () => like.onclose?.()
  return like
}
