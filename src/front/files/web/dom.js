// Elements, messages, questions: what all views share. Text only ever becomes text nodes.

export const $ = (selector, root = document) => root.querySelector(selector)

// A new element. Functions in `attributes` are listeners, true and false make and leave out, the rest is text.
export function h (tag, attributes = {}, ...children) {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') element.addEventListener(name.slice(2), value)
    else if (value === true) element.setAttribute(name, '')
    else if (value !== false && value != null) element.setAttribute(name, value)
  }
  element.append(...children.filter(child => child != null))
  return element
}

export const button = (text, onclick, attributes = {}) => h('button', { type: 'button', onclick, ...attributes }, text)

// "1.5 MB": decimal units, as `ls --si` has them.
export function size (bytes) {
  if (bytes < 1000) return `${bytes} B`
  const unit = Math.min(4, Math.floor(Math.log10(bytes) / 3))
  return `${(bytes / 1000 ** unit).toPrecision(3)} ${['', 'kB', 'MB', 'GB', 'TB'][unit]}`
}

export const count = number => number.toLocaleString('en')

// Waits for the last of several calls in a row.
export function later (act, delay) {
  let timer
  return (...args) => {
    clearTimeout(timer)
    timer = setTimeout(act, delay, ...args)
  }
}

// Shows a message. What went wrong stays until it is closed.
export function say (text, bad = false) {
  const toast = h('div', { class: bad ? 'toast bad' : 'toast', role: bad ? 'alert' : false }, h('span', {}, text))
  toast.append(button('×', () => toast.remove(), { 'aria-label': 'Close the message' }))
  const news = $('#news')
  // A modal dialog lies above all else, so what is said meanwhile is said in it.
  const dialog = $('dialog:modal')
  if (dialog) dialog.append(news)
  else if (news.parentNode !== document.body) document.body.append(news)
  news.append(toast)
  while (news.children.length > 5) news.firstChild.remove()
  if (!bad) setTimeout(() => toast.remove(), 6000)
}

// Carries out `act`; what goes wrong in it is said.
export async function attempt (act) {
  try {
    return await act()
  } catch (error) {
    if (error.name !== 'AbortError') say(error.message, true)
  }
}

// A modal dialog with a form, gone once it is closed.
export function dialog (title, form) {
  const box = h('dialog', { 'aria-labelledby': 'dialog-title' }, h('h2', { id: 'dialog-title' }, title), form)
  box.addEventListener('close', () => {
    if (box.contains($('#news'))) document.body.append($('#news'))
    box.remove()
  })
  box.addEventListener('click', event => { if (event.target === box) box.close() })
  document.body.append(box)
  box.showModal()
  return box
}

// Asks before something is lost. Resolves to whether it may be.
export function sure (title, text, verb) {
  return new Promise(resolve => {
    const form = h('form', { method: 'dialog' }, h('p', {}, text), h('div', { class: 'foot' },
      h('button', { value: '' }, 'Cancel'),
      h('button', { value: 'yes', class: 'danger', autofocus: true }, verb)))
    const box = dialog(title, form)
    box.addEventListener('close', () => resolve(box.returnValue === 'yes'))
  })
}

// What the address says behind its `#`: a view's name and its parameters.
export function place () {
  const [view, query = ''] = location.hash.slice(1).split('?')
  return { view: view || 'processes', query: new URLSearchParams(query) }
}

// The address of a view; parameters without a value are left out.
export function link (view, parameters = {}) {
  const query = new URLSearchParams(Object.entries(parameters).filter(([, value]) => value))
  return `#${view}${query.size ? `?${query}` : ''}`
}
