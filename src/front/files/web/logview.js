// The view of a log: follows, pauses, goes anywhere, looks for a text, switches between logs.

import { $, attempt, button, h, later, link, place, say, size, count } from './dom.js'
import { call } from './rpc.js'
import { daemon, heard, rows } from './table.js'
import { LogFile } from './logfile.js'
import { LogWindow, PIECE } from './logwindow.js'
import { expression, Search } from './search.js'

// How often a followed log is asked for news, in milliseconds: soon after there were some, else seldom.
const OFTEN = 250
const SELDOM = 2000

const parts = {}
let file, view, key, channel
let following = true
let timer = null
let pace = OFTEN
let working = false
let queue = Promise.resolve()
let search = null
let hit = -1

// Fills the view's section; once.
export function start (section) {
  const label = (text, element) => h('label', {}, text, element)
  parts.name = h('select', { 'aria-label': 'Log', onchange: choose })
  parts.channels = h('span', { class: 'bar', role: 'group', 'aria-label': 'Output' },
    ...['stdout', 'stderr'].map(name => button(name, () => go({ channel: name }), { 'data-channel': name })))
  parts.follow = button('Follow', () => follow(!following))
  parts.find = h('input', { type: 'search', class: 'find', placeholder: 'Search this log', 'aria-label': 'Search this log', spellcheck: 'false', oninput: later(seek, 200), onkeydown: keys })
  parts.exact = button('Aa', toggle, { 'aria-pressed': 'false', title: 'Match upper and lower case', 'aria-label': 'Match case' })
  parts.regex = button('.*', toggle, { 'aria-pressed': 'false', title: 'Regular expression', 'aria-label': 'Regular expression' })
  parts.back = button('↑', () => step(-1), { 'aria-label': 'Previous hit', title: 'Previous hit (Shift+Enter)' })
  parts.on = button('↓', () => step(1), { 'aria-label': 'Next hit', title: 'Next hit (Enter)' })
  parts.stop = button('Stop', () => { search?.stop(); tell() }, { hidden: true, 'aria-label': 'Stop searching' })
  parts.hits = h('span', { class: 'quiet', role: 'status' })
  parts.lines = h('div', { class: 'lines wrap', tabindex: 0, role: 'region', 'aria-label': 'Lines of the log', onscroll: scrolled, onkeydown: keys })
  parts.fresh = button('↓ Follow', () => follow(true), { class: 'fresh primary', hidden: true })
  parts.place = h('span')
  parts.slider = h('input', { type: 'range', min: 0, max: 1000, value: 1000, 'aria-label': 'Place in the log', onchange: slide })
  parts.wrap = h('input', { type: 'checkbox', checked: true, onchange: () => parts.lines.classList.toggle('wrap', parts.wrap.checked) })
  parts.load = h('a', { class: 'button', download: true }, 'Download')
  parts.clear = button('Clear', clear)
  section.append(h('div', { class: 'tools' }, parts.name, parts.channels, parts.follow,
    h('span', { class: 'bar' }, parts.find, parts.exact, parts.regex, parts.back, parts.on, parts.stop, parts.hits),
    h('span', { class: 'bar end' }, label('', parts.wrap), parts.load, parts.clear)),
  h('div', { class: 'sheet' }, parts.lines, parts.fresh),
  h('div', { class: 'where' }, button('Start', () => attempt(() => jump(0))), parts.slider, button('End', () => follow(true)), parts.place))
  parts.wrap.parentNode.append('Wrap')
  heard.addEventListener('news', event => {
    if (channel === 'stdout' && event.detail.has(key)) soon(80)
  })
  heard.addEventListener('moved', names)
  document.addEventListener('visibilitychange', () => soon(0))
}

// Shows the log that the address names.
export async function open () {
  const { query } = place()
  let wanted = query.get('name') ?? ''
  // As it is shown.
  if (wanted && !wanted.includes(':')) wanted = `${wanted}:${wanted}`
  const side = query.get('channel') === 'stderr' ? 'stderr' : 'stdout'
  if (file && wanted === key && side === channel) return soon(0)
  key = wanted
  channel = side
  parts.find.value = ''
  forget()
  names()
  parts.channels.hidden = !key
  for (const one of parts.channels.children) one.setAttribute('aria-pressed', String(one.dataset.channel === channel))
  parts.clear.hidden = !daemon.mayChange
  file = new LogFile(key, channel)
  view = new LogWindow(file, parts.lines)
  parts.load.href = `${file.url}?download`
  view.clear()
  await work(() => view.showEnd())
  follow(true)
}

// The view is left.
export function leave () {
  clearTimeout(timer)
  search?.stop()
}

const title = () => (key ? rows.get(key)?.spec ?? key : 'supervisord')
const go = change => { location.hash = link('log', { name: key, channel, ...change }) }
const choose = () => go({ name: parts.name.value, channel: 'stdout' })

function names () {
  if (parts.name.closest('[hidden]')) return
  const wanted = ['', ...rows.keys()]
  if (key && !rows.has(key)) wanted.push(key)
  const now = [...parts.name.options].map(option => option.value)
  if (now.length !== wanted.length || now.some((value, i) => value !== wanted[i])) {
    parts.name.replaceChildren(...wanted.map(value => h('option', { value }, value ? rows.get(value)?.spec ?? value : 'supervisord')))
  }
  parts.name.value = key
}

// One reading of the file after the other; what goes wrong is shown with the lines.
function work (act) {
  const mine = view
  queue = queue.then(async () => {
    if (view !== mine) return undefined
    working = true
    try {
      return await act()
    } catch (error) {
      if (view !== mine) return undefined
      const text = error.status === 404 ? `There is no ${key ? channel : 'main'} log.` : error.message
      if (!view.pieces.length) view.clear()
      if (parts.lines.lastChild?.textContent !== text) view.note(text, true)
    } finally {
      working = false
      if (view === mine) where()
    }
  })
  return queue
}

function follow (on) {
  following = on
  parts.follow.setAttribute('aria-pressed', String(on))
  parts.follow.title = on ? 'New lines are shown as they come' : 'New lines are not shown'
  parts.fresh.hidden = on
  clearTimeout(timer)
  if (on) work(async () => { if (!view.atEnd) await view.showEnd() }).then(() => { bottom(); soon(0) })
}

const bottom = () => { parts.lines.scrollTop = parts.lines.scrollHeight }

function soon (delay) {
  if (!following || document.hidden || parts.lines.closest('[hidden]')) return
  clearTimeout(timer)
  timer = setTimeout(poll, delay)
}

async function poll () {
  await work(async () => {
    const { anew } = await file.look()
    const news = file.size - view.to
    if (anew) {
      const text = file.size ? 'The log begins anew.' : 'The log was cleared.'
      view.clear()
      view.note(text)
      forget()
      seek()
      pace = 0
    } else if (news > PIECE * 4) {
      await view.showEnd()
      pace = OFTEN
    } else if (news > 0) {
      await view.more(false)
      pace = view.atEnd ? OFTEN : 0
    } else pace = Math.min(SELDOM, Math.max(OFTEN, pace * 1.5))
    if (news > 0) {
      paint()
      search?.run().catch(error => say(error.message, true))
    }
  })
  if (following) bottom()
  soon(pace)
}

function where () {
  if (!view) return
  parts.place.textContent = file.size
    ? `${size(view.from)} to ${size(view.to)} of ${size(file.size)}`
    : 'empty'
  if (document.activeElement !== parts.slider) {
    parts.slider.value = file.size ? (view.atEnd && following ? 1000 : 1000 * view.top / file.size) : 1000
  }
}

let last = 0
function scrolled () {
  const box = parts.lines
  const up = box.scrollTop < last - 2
  last = box.scrollTop
  const rest = box.scrollHeight - box.scrollTop - box.clientHeight
  if (following && up && rest > 30 && !working) follow(false)
  else if (!following && rest < 2 && view?.atEnd && !up && !search) follow(true)
  if (working || following) return
  if (box.scrollTop < 600 && view.from > 0) work(() => view.more(true)).then(paint)
  else if (rest < 600 && !view.atEnd) work(() => view.more(false)).then(paint)
  else where()
}

async function jump (offset) {
  follow(false)
  const at = await work(() => view.showAt(offset))
  paint()
  return at
}

function slide () {
  if (Number(parts.slider.value) === 1000) return follow(true)
  const offset = Math.floor(file.size * parts.slider.value / 1000)
  attempt(() => jump(offset)).then(() => {
    const line = view.line(offset)
    if (line) parts.lines.scrollTop = line.offsetTop - parts.lines.offsetTop
  })
}

function keys (event) {
  if (event.target === parts.find) {
    if (event.key === 'Enter') step(event.shiftKey ? -1 : 1)
    return
  }
  if (event.key === 'Home') attempt(() => jump(0))
  else if (event.key === 'End') follow(true)
  else return
  event.preventDefault()
}

function clear () {
  return attempt(async () => {
    if (key) await call('supervisor.clearProcessLogs', key)
    else await call('supervisor.clearLog')
    say(key ? `Log for ${title()} cleared` : 'The main log is cleared')
    follow(true)
  })
}

function toggle (event) {
  const on = event.currentTarget.getAttribute('aria-pressed') !== 'true'
  event.currentTarget.setAttribute('aria-pressed', String(on))
  seek()
}

function forget () {
  search?.stop()
  search = null
  hit = -1
  tell()
  paint()
}

// Begins to look for what is typed.
function seek () {
  forget()
  const text = parts.find.value
  if (!text || !file) return
  try {
    const [regex, exact] = [parts.regex, parts.exact].map(one => one.getAttribute('aria-pressed') === 'true')
    search = new Search(new LogFile(key, channel), expression(text, { regex, exact }), tell)
  } catch (error) {
    parts.hits.textContent = error.message
    return
  }
  paint()
  const mine = search
  search.run().catch(error => say(error.message, true)).then(() => {
    // The view goes to the hit that is nearest, unless somebody was faster.
    if (mine === search && hit < 0 && mine.hits.length && !mine.stopper.signal.aborted) {
      show(Math.min(mine.before(view.top), mine.hits.length - 1))
    }
  })
}

function tell () {
  parts.stop.hidden = !search?.running
  parts.on.disabled = parts.back.disabled = !search?.hits.length
  if (!search) {
    parts.hits.textContent = ''
    return
  }
  const { hits, scanned, running, full } = search
  const found = hits.length ? `${hit >= 0 ? `${count(hit + 1)} of ` : ''}${count(hits.length)}${full ? '+' : ''}` : running ? '' : 'not found'
  const far = running ? ` ${Math.floor(100 * scanned / Math.max(1, search.file.size))} %` : ''
  parts.hits.textContent = found + far
}

function step (by) {
  if (!search?.hits.length) return
  const from = hit >= 0 ? hit + by : search.before(view.top) - (by < 0 ? 1 : 0)
  show((from + search.hits.length) % search.hits.length)
}

// Goes to one hit.
async function show (number) {
  hit = number
  tell()
  const offset = search.hits[number]
  if (following) follow(false)
  let line = view.line(offset)
  if (!line) {
    await jump(offset)
    line = view.line(offset)
  }
  paint()
  if (line) {
    const box = parts.lines
    const rect = (nowRange ?? line).getBoundingClientRect()
    const frame = box.getBoundingClientRect()
    if (rect.top < frame.top + 20 || rect.bottom > frame.bottom - 20) box.scrollTop += rect.top - frame.top - frame.height / 3
  }
}

// Marks the hits on the page, without touching its elements.
let nowRange = null
function paint () {
  nowRange = null
  const marks = window.CSS?.highlights
  if (!marks) return
  marks.delete('hit')
  marks.delete('now')
  if (!search) return
  const ranges = []
  const current = hit >= 0 ? search.hits[hit] : -1
  const nth = hit - search.hits.indexOf(current, search.before(current))
  for (const line of view.all()) {
    let number = 0
    for (const match of line.textContent.matchAll(search.pattern)) {
      if (!match[0]) continue
      const range = stretch(line, match.index, match.index + match[0].length)
      if (line.offset === current && number === nth) nowRange = range
      else if (ranges.length < 5000) ranges.push(range)
      number++
    }
  }
  marks.set('hit', new Highlight(...ranges))
  if (nowRange) marks.set('now', new Highlight(nowRange))
}

// The range of characters of an element, whatever it is made of.
function stretch (element, from, to) {
  const range = document.createRange()
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT)
  let at = 0
  let begun = false
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const end = at + node.length
    if (!begun && from < end) {
      range.setStart(node, from - at)
      begun = true
    }
    if (to <= end) {
      range.setEnd(node, to - at)
      break
    }
    at = end
  }
  return range
}

export const focus = () => $('.find').select()
