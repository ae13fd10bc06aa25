// Looks for a text in a whole log, piece by piece, and keeps no more of it than where the hits are.

import { clean } from './ansi.js'
import { decode, LF } from './logfile.js'

const PIECE = 1024 * 1024
// Hits whose places are kept: 8 MB of numbers.
const HITS = 1000000

// The expression for what somebody typed; throws an error if it is none.
export function expression (text, { regex, exact }) {
  try {
    const pattern = new RegExp(regex ? text : text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'), exact ? 'g' : 'gi')
    pattern.literal = !regex
    return pattern
  } catch {
    throw new Error('not an expression')
  }
}

export class Search {
  // `changed` is called whenever there is more to tell.
  constructor (file, pattern, changed) {
    Object.assign(this, { file, pattern, changed })
    // For each hit where its line begins, in bytes.
    this.hits = []
    this.scanned = 0
    this.running = false
    this.full = false
    this.stopper = new AbortController()
  }

  stop () {
    this.stopper.abort()
    this.running = false
  }

  // Looks on, to the end of the file.
  async run () {
    if (this.running || this.full || this.stopper.signal.aborted) return
    this.running = true
    const { signal } = this.stopper
    const read = at => this.file.read(at, at + PIECE, { signal })
    try {
      // What the last, unfinished line had is looked for again.
      while (this.hits.length && this.hits.at(-1) >= this.scanned) this.hits.pop()
      let at = this.scanned
      // Whoever shows the file begins anew if it is another one, and so does the search.
      const { anew } = await this.file.look({ signal })
      if (anew || at >= this.file.size) return
      let piece = read(at)
      for (;;) {
        const { bytes, anew } = await piece
        if (anew || !bytes.length || signal.aborted) break
        const last = at + bytes.length >= this.file.size
        const whole = bytes.lastIndexOf(LF) + 1
        const end = last || !whole ? bytes.length : whole
        const base = at
        at += end
        // The next piece comes while this one is looked at.
        if (!last) piece = read(at)
        this.look(bytes.subarray(0, end), base)
        this.scanned = last ? base + whole : at
        this.full = this.hits.length >= HITS
        this.changed()
        if (last || this.full) break
      }
    } catch (error) {
      if (error.name !== 'AbortError') throw error
    } finally {
      this.running = false
      this.changed()
    }
  }

  // The bytes have as many line feeds as the text, by which places are found.
  look (bytes, base) {
    const text = clean(decode(bytes))
    let begin = 0
    if (this.pattern.literal) {
      let from = 0
      for (const { index } of text.matchAll(this.pattern)) {
        for (let feed = text.indexOf('\n', from); feed >= 0 && feed < index; feed = text.indexOf('\n', from)) {
          from = feed + 1
          begin = bytes.indexOf(LF, begin) + 1
        }
        this.hits.push(base + begin)
      }
      return
    }
    // A line each, so that no hit crosses its end.
    for (const line of text.split('\n')) {
      for (const [hit] of line.matchAll(this.pattern)) if (hit) this.hits.push(base + begin)
      begin = bytes.indexOf(LF, begin) + 1
      if (!begin) break
    }
  }

  // How many hits are in lines that begin before `offset`.
  before (offset) {
    let [low, high] = [0, this.hits.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.hits[middle] < offset) low = middle + 1
      else high = middle
    }
    return low
  }
}
