// The part of a log that is on the page: a few pieces of whole lines around one place, however long the file is.

import { h } from './dom.js'
import { decode, LF, seam } from './logfile.js'
import { draw, PLAIN } from './ansi.js'

// Bytes of a piece, and of a line before it is broken; lines of a piece; pieces.
export const PIECE = 64 * 1024
const LINES = 1000
const PIECES = 8

export class LogWindow {
  // `box` scrolls.
  constructor (file, box) {
    Object.assign(this, { file, box, pieces: [] })
    // The bytes of the last line, while it has no end.
    this.open = new Uint8Array()
  }

  get from () { return this.pieces[0]?.from ?? 0 }
  get to () { return this.pieces.at(-1)?.to ?? 0 }
  get atEnd () { return this.to >= this.file.size }

  clear () {
    this.pieces = []
    this.open = new Uint8Array()
    this.box.replaceChildren()
  }

  // A line of ours between those of the log.
  note (text, wrong = false) {
    this.box.append(h('div', { class: wrong ? 'note error' : 'note' }, h('div', {}, text)))
  }

  // Shows the end of the file. Throws, as all that read do, what `LogFile` throws; nothing changes then.
  async showEnd () {
    const { from, bytes } = await this.file.end(PIECE * 2)
    this.clear()
    this.#after(from && bytes.length ? this.#wholeLines(bytes) : bytes, from)
    this.box.scrollTop = this.box.scrollHeight
  }

  // Shows the line that begins at `offset`, or the next one if none does; returns its offset.
  async showAt (offset) {
    const before = Math.max(0, offset - 1)
    const { bytes, from } = await this.file.read(before, before + PIECE * 2)
    if (!bytes.length) return null
    this.clear()
    const lines = offset ? this.#wholeLines(bytes) : bytes
    const begin = from + bytes.length - lines.length
    this.#after(lines, begin)
    this.box.scrollTop = 0
    await this.more(true)
    await this.more(false)
    return begin
  }

  // What follows the first line feed; all of it if there is none.
  #wholeLines (bytes) {
    const end = bytes.indexOf(LF)
    return end < 0 || end + 1 === bytes.length ? bytes : bytes.subarray(end + 1)
  }

  // Loads what is next to the window, on its upper or lower side. Returns whether there was any.
  async more (above) {
    if (above) return this.#above()
    const at = this.to
    const { bytes, anew } = await this.file.read(at, at + PIECE)
    if (anew || !bytes.length || this.to !== at) return false
    this.#after(bytes, at)
    this.#trim(true)
    return true
  }

  async #above () {
    const at = this.from
    if (!at) return false
    const begin = Math.max(0, at - PIECE)
    const { bytes, anew } = await this.file.read(begin, at)
    if (anew || this.from !== at || !bytes.length) return false
    let first = begin ? bytes.indexOf(LF) + 1 : 0
    // A line longer than a piece.
    if (first === bytes.length) first = 0
    let lines = 0
    let cut = bytes.length - 1
    while (cut > first && lines < LINES) {
      cut = bytes.lastIndexOf(LF, cut - 1)
      if (cut < first) break
      lines++
    }
    if (cut >= first && lines === LINES) first = cut + 1
    const piece = { from: begin + first, to: at, lines: 0, style: PLAIN, element: h('div') }
    this.#lines(bytes.subarray(first), (line, offset) => this.#draw(piece, line, begin + first + offset))
    const height = this.box.scrollHeight
    this.box.prepend(piece.element)
    this.pieces.unshift(piece)
    this.box.scrollTop += this.box.scrollHeight - height
    this.#trim(false)
    return true
  }

  #after (bytes, from) {
    for (const wrong of this.box.querySelectorAll(':scope > .error')) wrong.remove()
    let last = this.pieces.at(-1)
    if (this.open.length) {
      // The open line is drawn anew, with what it got.
      const all = new Uint8Array(this.open.length + bytes.length)
      all.set(this.open)
      all.set(bytes, this.open.length)
      from -= this.open.length
      bytes = all
      last.element.lastChild.remove()
      last.lines--
      last.style = last.before
      last.to = from
    }
    let end = 0
    this.#lines(bytes, (line, offset, closed) => {
      if (!last || last.to - last.from >= PIECE || last.lines >= LINES) {
        last = { from: from + offset, to: from + offset, lines: 0, style: last?.style ?? PLAIN, element: h('div') }
        this.pieces.push(last)
        this.box.append(last.element)
      }
      last.before = last.style
      this.#draw(last, line, from + offset)
      end = offset + line.length + (closed ? 1 : 0)
      last.to = from + end
      this.open = closed || line.length >= PIECE ? new Uint8Array() : line
    })
  }

  // Calls `each` with every line, its place and whether a line feed ended it.
  #lines (bytes, each) {
    for (let at = 0; at < bytes.length;) {
      const feed = bytes.indexOf(LF, at)
      let end = feed < 0 ? bytes.length : feed
      const long = end - at > PIECE
      if (long) end = at + seam(bytes.subarray(at, at + PIECE))
      each(bytes.subarray(at, end), at, !long && feed >= 0)
      at = !long && feed >= 0 ? end + 1 : end
    }
  }

  #draw (piece, bytes, offset) {
    const line = h('div')
    line.offset = offset
    piece.style = draw(line, decode(bytes), piece.style)
    piece.element.append(line)
    piece.lines++
  }

  // Lets go of what is too much, at the other side.
  #trim (top) {
    while (this.pieces.length > PIECES) {
      const gone = top ? this.pieces.shift() : this.pieces.pop()
      const height = this.box.scrollHeight
      const at = this.box.scrollTop
      // With what was noted above it.
      while (top && this.box.firstChild !== gone.element) this.box.firstChild.remove()
      gone.element.remove()
      if (top) this.box.scrollTop = at - (height - this.box.scrollHeight)
      else this.open = new Uint8Array()
    }
  }

  // The line that begins at `offset`, or the one that the place is in; null if it is not on the page.
  line (offset) {
    const piece = this.pieces.find(({ from, to }) => from <= offset && offset < Math.max(to, from + 1))
    if (!piece) return null
    return [...piece.element.children].findLast(line => line.offset <= offset) ?? null
  }

  // Every line on the page.
  * all () {
    for (const { element } of this.pieces) yield * element.children
  }

  // The offset of the uppermost line in sight.
  get top () {
    const edge = this.box.getBoundingClientRect().top
    for (const { element } of this.pieces) {
      if (element.getBoundingClientRect().bottom <= edge) continue
      for (const line of element.children) if (line.getBoundingClientRect().bottom > edge) return line.offset
    }
    return this.to
  }
}
