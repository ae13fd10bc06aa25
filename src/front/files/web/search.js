// Looks for a text in a whole log, piece by piece, and keeps no more of it than where the hits are.

import { clean } from './ansi.js'
import { decode, LF } from './logfile.js'

const PIECE = 1024 * 1024
// Hits whose places are kept: 8 MB of numbers.
const HITS = 1000000

// The expression for what somebody typed; throws an error if it is none.
export function expression (text, { regex, exact }) {
  try {
    return new RegExp(regex ? text : text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'), exact ? 'g' : 'gi')
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
    try {
      // What the last, unfinished line had is looked for again.
      while (this.hits.length && this.hits.at(-1) >= this.scanned) this.hits.pop()
      let at = this.scanned
      while (this.running) {
        const { bytes, anew } = await this.file.read(at, at + PIECE, { signal: this.stopper.signal })
        // Whoever shows the file begins anew, and so does the search.
        if (anew || !bytes.length) break
        const last = at + bytes.length >= this.file.size
        const whole = bytes.lastIndexOf(LF) + 1
        const end = last || !whole ? bytes.length : whole
        this.look(bytes.subarray(0, end), at)
        this.scanned = at + (last ? whole : end)
        at += end
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

  look (bytes, base) {
    let begin = 0
    const text = clean(decode(bytes))
    // A line each, so that no hit crosses its end. The bytes have as many line feeds as the text.
    for (const line of text.split('\n')) {
      const offset = base + begin
      for (const [hit] of line.matchAll(this.pattern)) if (hit) this.hits.push(offset)
      begin = bytes.indexOf(LF, begin) + 1
      if (!begin) break
    }
  }

  // Of all hits, how many lines begin before `offset`.
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
