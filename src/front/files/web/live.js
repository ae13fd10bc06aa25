// The stream of news from the daemon: open while the page is looked at, opened again when it breaks.

import { ask } from './rpc.js'

// A hidden page lets its stream go: a browser has only a few connections for each server.
const HIDDEN = 5000
const PATIENCE = 15000

let source = null
let waits = 1000
let timer = null
let take = () => {}
let show = () => {}

// Begins. `news(data, all)` gets what comes, `state(name, text)` hears how it is going: live, waiting, paused, refused.
export function start (news, state) {
  take = news
  show = state
  document.addEventListener('visibilitychange', () => {
    clearTimeout(timer)
    if (document.hidden) timer = setTimeout(pause, HIDDEN)
    else if (!source) open()
  })
  addEventListener('pagehide', close)
  // Back out of the browser's cache of pages.
  addEventListener('pageshow', event => { if (event.persisted) open() })
  if (document.hidden) pause()
  else open()
}

function close () {
  clearTimeout(timer)
  source?.close()
  source = null
}

function pause () {
  close()
  show('paused', 'paused')
}

function open () {
  close()
  source = new EventSource('live')
  const heard = all => event => {
    waits = 1000
    show('live', 'live')
    take(JSON.parse(event.data), all)
  }
  source.addEventListener('all', heard(true))
  source.addEventListener('some', heard(false))
  source.addEventListener('error', () => {
    show('waiting', 'reconnecting…')
    // Otherwise the browser tries again by itself.
    if (source.readyState === EventSource.CLOSED) again()
  })
}

async function again () {
  close()
  timer = setTimeout(open, waits)
  waits = Math.min(waits * 2, PATIENCE)
  // The stream doesn't say why it was refused.
  try {
    await ask('ok.html')
  } catch (error) {
    if (error.status) show('refused', error.message)
  }
}
