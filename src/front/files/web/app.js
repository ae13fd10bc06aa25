// Brings the status page to life: takes its table over, opens the stream of news, shows views by the address.

import { $, attempt, button, h, link, place, say } from './dom.js'
import * as live from './live.js'
import * as table from './table.js'
import * as view from './view.js'
import { act, actAll, actGroup, lookForTwiddler } from './actions.js'

const main = $('main')
// Views beside the table; what is behind them is loaded when they are first looked at.
const views = {
  log: { title: 'Logs', load: () => import('./logview.js') },
  cache: { title: 'Cache', load: () => import('./cache.js') }
}
let current = 'processes'

function frame () {
  const status = h('section', { id: 'processes' })
  status.append(...main.childNodes)
  main.append(status)
  const tools = h('div', { class: 'tools' }, h('span', { class: 'bar end adds' },
    button('Add program…', () => attempt(() => adding('addProgram'))),
    button('Add group…', () => attempt(() => adding('addGroup')))))
  $('#actions').before(tools)
  const nav = h('nav', { 'aria-label': 'Views' }, h('a', { href: '#processes', id: 'to-processes' }, 'Processes'))
  for (const [name, one] of Object.entries(views)) {
    one.section = h('section', { id: name, class: name === 'log' ? 'log' : '', hidden: true, 'aria-label': one.title })
    main.append(one.section)
    nav.append(h('a', { href: `#${name}`, id: `to-${name}` }, one.title))
  }
  $('header h1').after(nav)
  $('#state').title = 'State of supervisord'
  $('#state').after(h('span', { class: 'chip dot', id: 'stream', role: 'status', title: 'News from supervisord' }, 'connecting…'))
  document.body.append(h('div', { id: 'news', role: 'status' }))
  return tools
}

const adding = async what => (await import('./add.js'))[what]()

// Shows the view that the address names.
async function show () {
  const { view: name } = place()
  const wanted = Object.hasOwn(views, name) ? name : 'processes'
  if (wanted !== current && views[current]) views[current].module?.leave()
  current = wanted
  $('#processes').hidden = wanted !== 'processes'
  for (const [id, one] of Object.entries(views)) one.section.hidden = id !== wanted
  for (const a of document.querySelectorAll('header nav a')) {
    if (a.id === `to-${wanted}`) a.setAttribute('aria-current', 'page')
    else a.removeAttribute('aria-current')
  }
  const one = views[wanted]
  if (!one) {
    if (name === 'processes' && location.hash.includes('?')) view.fromAddress()
    $('#to-processes').href = view.address()
    return
  }
  $('#to-processes').href = view.address()
  await attempt(async () => {
    if (!one.module) {
      one.module = await one.load()
      one.module.start(one.section)
    }
    if (current === wanted) await one.module.open()
  })
}

function clicked (event) {
  if (event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return
  const pressed = event.target.closest('button[formaction], button[data-group], .processes td a')
  if (!pressed) return
  event.preventDefault()
  const { row } = pressed.closest('tr') ?? {}
  if (pressed.dataset.group) actGroup(pressed.dataset.group, pressed.dataset.verb)
  else if (pressed.localName === 'a') {
    location.hash = link('log', { name: row.key, channel: pressed === row.links.err ? 'stderr' : 'stdout' })
  } else {
    const action = new URL(pressed.formAction).searchParams.get('action')
    if (row) act(row, action)
    else actAll(action)
  }
}

function typed (event) {
  const inField = event.target.closest('input, textarea, select')
  if (event.key === '/' && !inField && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault()
    if (current === 'processes') view.focus()
    else views[current].module?.focus()
  } else if (event.key === 'Escape' && !$('dialog[open]')) {
    if (current === 'processes') view.reset()
    else if (current === 'cache') views.cache.module?.close()
    else if (current === 'log' && !inField) location.hash = $('#to-processes').hash
  }
}

function state () {
  const chip = $('#state')
  chip.textContent = table.daemon.state.toLowerCase()
  chip.dataset.tone = table.daemon.state === 'RUNNING' ? 'good' : 'warn'
  if (table.daemon.identifier) $('h1 span').textContent = table.daemon.identifier
}

table.takeOver()
view.start(frame())
let known = false
live.start((data, all) => {
  table.take(data, all)
  state()
  if (all && !known) {
    known = true
    attempt(lookForTwiddler)
  }
}, (name, text) => {
  const chip = $('#stream')
  if (chip.textContent !== text) chip.textContent = text
  chip.dataset.tone = { live: 'good', refused: 'bad', waiting: 'warn' }[name] ?? ''
  document.documentElement.classList.toggle('live', name === 'live')
})
document.addEventListener('click', clicked)
document.addEventListener('keydown', typed)
addEventListener('hashchange', show)
show()
// The message of an action was for once: reloading the page doesn't say it again.
if ($('.status_msg') && location.search) history.replaceState(null, '', location.pathname + location.hash)
addEventListener('unhandledrejection', event => say(event.reason?.message ?? 'Something went wrong.', true))
