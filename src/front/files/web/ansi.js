// Text of a log as nodes: colours and weights by SGR sequences (ECMA-48 8.3.117), every other sequence left out, other
// control characters as their pictures.

/* eslint-disable no-control-regex */
// CSI, OSC, other strings, two-character escapes, control characters but tab and line feed.
const MARKS = /\x1b\[([0-?]*)[ -/]*([@-~])|\x1b\][^\x07\x1b\n]*(?:\x07|\x1b\\)?|\x1b[PX^_][^\x1b\n]*(?:\x1b\\)?|\x1b[ -/]*[0-~]?|[\x00-\x08\x0b-\x1f\x7f]/g

const picture = c => (c === '\r' ? '␍' : c === '\x7f' ? '␡' : String.fromCharCode(0x2400 + c.charCodeAt(0)))

// The text alone, as it is shown. Line feeds stay.
export const clean = text => text.replace(/\r\n/g, '\n').replace(MARKS, mark => (mark[0] === '\x1b' ? '' : picture(mark)))

// What text looks like that nothing was said about.
export const PLAIN = Object.freeze({})

// Fills `element` with a line that begins in a style; returns the style that it ends in.
export function draw (element, line, style) {
  let at = 0
  const add = text => {
    if (text) element.append(style === PLAIN ? text : dress(text, style))
  }
  for (const mark of line.matchAll(MARKS)) {
    add(line.slice(at, mark.index))
    at = mark.index + mark[0].length
    if (mark[0][0] !== '\x1b') {
      // The end of a line of a DOS text.
      if (mark[0] !== '\r' || at < line.length) add(picture(mark[0]))
    } else if (mark[2] === 'm' && /^[\d;:]*$/.test(mark[1])) style = restyle(style, mark[1])
  }
  add(line.slice(at))
  return style
}

// The style after a sequence with these parameters.
function restyle (before, parameters) {
  const style = { ...before }
  // 38:2::r:g:b has an empty colour space; as 38;2;r;g;b there is none.
  const codes = parameters.replace(/([34]8:2):\d*:(\d+:\d+:\d+)/g, '$1:$2').split(/[;:]/).map(Number)
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i]
    if (code === 0) for (const key of Object.keys(style)) delete style[key]
    else if (code === 1) style.b = true
    else if (code === 2) style.d = true
    else if (code === 3) style.i = true
    else if (code === 4) style.u = true
    else if (code === 7) style.swap = true
    else if (code === 9) style.s = true
    else if (code === 22) style.b = style.d = false
    else if (code === 23) style.i = false
    else if (code === 24) style.u = false
    else if (code === 27) style.swap = false
    else if (code === 29) style.s = false
    else if (code >= 30 && code <= 37) style.front = code - 30
    else if (code === 38 || code === 48) {
      const name = code === 38 ? 'front' : 'back'
      if (codes[i + 1] === 5) style[name] = colour(codes[i += 2])
      else if (codes[i + 1] === 2) style[name] = rgb(codes.slice(i + 2, i += 5))
    } else if (code === 39) delete style.front
    else if (code >= 40 && code <= 47) style.back = code - 40
    else if (code === 49) delete style.back
    else if (code >= 90 && code <= 97) style.front = code - 82
    else if (code >= 100 && code <= 107) style.back = code - 92
  }
  return Object.values(style).some(value => value !== false) ? style : PLAIN
}

const rgb = parts => `rgb(${[0, 1, 2].map(i => Math.min(255, parts[i] || 0)).join(' ')})`

// One of 256: sixteen that the page chooses, a cube of 6 × 6 × 6, 24 shades of grey.
function colour (number = 0) {
  if (number < 16) return number
  if (number > 231) return rgb(Array(3).fill(8 + 10 * (number - 232)))
  const step = part => (part ? 55 + 40 * part : 0)
  const cube = number - 16
  return rgb([step(Math.floor(cube / 36)), step(Math.floor(cube / 6) % 6), step(cube % 6)])
}

function dress (text, style) {
  const span = document.createElement('span')
  span.textContent = text
  const classes = ['b', 'd', 'i', 'u', 's'].filter(key => style[key])
  let { front, back } = style
  if (style.swap) [front, back] = [back ?? 'var(--face)', front ?? 15]
  if (typeof front === 'number') classes.push(`f${front}`)
  else if (front) span.style.color = front
  if (typeof back === 'number') {
    classes.push(`g${back}`)
    // The sixteen are made to be read on the page; on one of them its face is.
    if (front === undefined) classes.push('g')
  } else if (back) span.style.backgroundColor = back
  span.className = classes.join(' ')
  return span
}
