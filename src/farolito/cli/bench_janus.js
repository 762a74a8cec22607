// A page's side of Janus: one session, a handle for each picture, one long question for events.
// `look(id)` draws mountpoint `id`, whose clock is read then; `takeAll(count)` takes coded pictures of
// the first ones and throws them away undecoded, so that a browser bears many.
window.benchJanus = (() => {
  const api = location.origin + '/janus'
  const waiting = new Map() // handle → what its next offer is given to
  const found = { pictures: 0, without: 0 }
  let session = null

  async function say(path, body) {
    const text = JSON.stringify({ transaction: String(Math.random()), ...body })
    return (await fetch(api + path, { method: 'POST', body: text })).json()
  }

  async function hear() {
    for (;;) {
      const told = await (await fetch(`${api}/${session}?maxev=10`)).json()
      for (const one of Array.isArray(told) ? told : [told])
        if (one.jsep) waiting.get(one.sender)?.(one.jsep)
    }
  }

  async function start() {
    session = (await say('', { janus: 'create' })).data.id
    void hear()
  }

  async function open(id, options, ontrack) {
    const plugin = 'janus.plugin.streaming'
    const handle = (await say(`/${session}`, { janus: 'attach', plugin })).data.id
    const path = `/${session}/${handle}`
    const offered = new Promise((give) => waiting.set(handle, give))
    await say(path, { janus: 'message', body: { request: 'watch', id } })
    const line = new RTCPeerConnection(options)
    line.ontrack = ontrack
    line.onicecandidate = (event) =>
      say(path, { janus: 'trickle', candidate: event.candidate ?? { completed: true } })
    await line.setRemoteDescription(await offered)
    await line.setLocalDescription(await line.createAnswer())
    const jsep = { type: 'answer', sdp: line.localDescription.sdp }
    await say(path, { janus: 'message', body: { request: 'start' }, jsep })
  }

  // Drawn as our own player draws, not by a video element: that one waits for the screen.
  function look(id) {
    window.benchClock.found.askedAt = performance.now()
    const canvas = document.createElement('canvas')
    Object.assign(canvas, { width: 1280, height: 720 })
    document.body.append(canvas)
    const pen = canvas.getContext('2d', { alpha: false })
    const write = (frame) => {
      pen.drawImage(frame, 0, 0, canvas.width, canvas.height)
      frame.close()
    }
    return open(id, {}, ({ track }) => {
      const pictures = new MediaStreamTrackProcessor({ track }).readable
      void pictures.pipeTo(new WritableStream({ write }))
    })
  }

  function take(id) {
    found.without++
    let isFirst = true
    const count = () => {
      found.pictures++
      if (isFirst) found.without--
      isFirst = false
    }
    return open(id, { encodedInsertableStreams: true }, (event) => {
      void event.receiver.createEncodedStreams().readable.pipeTo(new WritableStream({ write: count }))
    })
  }

  const takeAll = (count) => Promise.all(Array.from({ length: count }, (_, at) => take(at + 1)))

  return { found, start, look, takeAll }
})()
