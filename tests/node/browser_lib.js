// What the browser tests share: Chromium, pages that must not complain, waiting for conditions, screenshots.
'use strict'
const assert = require('assert')
const fs = require('fs')
const http = require('http')
const path = require('path')
const { chromium } = require('playwright-core')

const ARGS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage']
const axe = fs.readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8')
const pictures = process.env.SCREENSHOTS
const tests = []

// Declares a test; `act` gets the browser and what browser.rs said of its daemons.
const test = (name, act) => tests.push({ name, act })

// Waits until `ready` gives something that counts as true; returns it.
async function until (what, ready, seconds = 10) {
  const end = Date.now() + seconds * 1000
  for (;;) {
    const found = await ready()
    if (found) return found
    if (Date.now() > end) throw new Error(`waited ${seconds} s in vain: ${what}`)
    await new Promise(resolve => setTimeout(resolve, 15))
  }
}

// A page in a context of its own. Whatever it complains about fails the test, unless `allow` matches it.
async function open (browser, url, options = {}) {
  const { allow, live = options.javaScriptEnabled !== false, ...rest } = options
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, colorScheme: 'light', ...rest })
  context.setDefaultTimeout(10000)
  const page = await context.newPage()
  page.complaints = []
  const complain = text => { if (!allow?.test(text)) page.complaints.push(text) }
  page.on('pageerror', error => complain(error.stack))
  page.on('console', message => { if (['error', 'warning'].includes(message.type())) complain(message.text()) })
  // Nothing that a name or a log says may ever run.
  page.on('dialog', dialog => { complain(`a dialog: ${dialog.message()}`); dialog.dismiss() })
  await page.goto(url)
  if (live) await until('the stream', () => page.evaluate(() => document.documentElement.classList.contains('live')))
  page.done = async () => {
    assert.deepStrictEqual(page.complaints, [])
    await context.close()
  }
  return page
}

const picture = (page, name) => page.screenshot({ path: path.join(pictures, `${name}.png`) })

// No violation of the rules of axe-core (WCAG 2.2 A and AA, and good practice).
async function accessible (page, what) {
  await page.evaluate(axe)
  const { violations } = await page.evaluate(() => globalThis.axe.run({ resultTypes: ['violations'] }))
  assert.deepStrictEqual(violations.map(({ id, nodes }) =>
    `${what}: ${id}: ${nodes.slice(0, 3).map(node => `${node.html.slice(0, 200)} ${node.failureSummary}`)}`), [])
}

// A row of the table, by the name that it shows.
const rowOf = (page, spec) => page.locator('.processes tbody tr:not(.group)', { has: page.getByRole('link', { name: spec, exact: true }) })
const stateOf = (page, spec) => rowOf(page, spec).locator('td').first().innerText()
// Until a row was painted once, it has no text (content-visibility).
const stateIs = (page, spec, state) => until(`${spec} is ${state}`, async () => await stateOf(page, spec) === state)
const toast = (page, text) => until(`the message ${text}`, () => page.evaluate(text =>
  [...document.querySelectorAll('.toast span')].some(span => span.textContent.includes(text)), text))

// The text of a request's answer, without a browser.
const get = (url, options = {}) => new Promise((resolve, reject) => {
  http.get(url, options, answer => {
    let text = ''
    answer.setEncoding('utf8').on('data', data => { text += data }).on('end', () => resolve({ status: answer.statusCode, text }))
  }).on('error', reject)
})

const median = numbers => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)]
// Machines that do something else meanwhile are noisy, so only what is far beyond the bound fails; figures are printed.
const within = (what, figure, bound) => {
  console.log(`figure: ${what}: ${figure.toFixed(1)} (at most ${bound})`)
  assert.ok(figure <= bound * 8, `${what}: ${figure}, and not ${bound}`)
}

// Runs what was declared, or of it what has `only` in its name.
async function run (setting, only = '') {
  fs.rmSync(pictures, { recursive: true, force: true })
  fs.mkdirSync(pictures, { recursive: true })
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ARGS })
  try {
    for (const { name, act } of tests.filter(({ name }) => name.includes(only))) {
      const began = Date.now()
      try {
        await act(browser, setting)
      } catch (error) {
        const pages = browser.contexts().flatMap(context => context.pages())
        for (const page of pages) {
          await picture(page, `failed-${name.replace(/\W+/g, '-')}`).catch(() => {})
          console.error(`the page says: ${page.complaints}`)
        }
        error.message = `${name}: ${error.message}`
        throw error
      }
      console.log(`passed: ${name} (${Date.now() - began} ms)`)
    }
  } finally {
    await browser.close()
  }
}

module.exports = { accessible, get, median, open, picture, rowOf, run, stateIs, test, toast, until, within }
