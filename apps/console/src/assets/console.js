// Keeps an open page up to date: pieces of it are put in place, and points are added to the charts.
import uPlot from './uPlot.esm.js'

const topics = document.body.dataset.topics
const live = document.getElementById('live')
const figures = [...document.querySelectorAll('figure[data-chart]')]
const plots = new Map()
let range = document.querySelector('button[data-range][aria-pressed=true]')?.dataset.range

listen()
void showRange(range)
for (const button of document.querySelectorAll('button[data-range]')) {
  button.addEventListener('click', () => void showRange(button.dataset.range))
}
new ResizeObserver(() => {
  for (const { plot, figure } of plots.values()) plot.setSize(sizeOf(figure))
}).observe(document.body)
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => void showRange(range))

function listen() {
  const source = new EventSource(`/events?topics=${topics}&since=${document.body.dataset.made}`)
  source.addEventListener('open', () => (live.textContent = 'live'))
  source.addEventListener('error', () => (live.textContent = 'not connected'))
  source.addEventListener('fragment', ({ data }) => {
    // From this very server, escaped there.
    const piece = new DOMParser().parseFromString(data, 'text/html').body.firstElementChild
    const shown = document.getElementById(piece.id)
    // What is the same stays, with whatever was typed into it.
    if (shown?.outerHTML !== piece.outerHTML) shown?.replaceWith(piece)
  })
  source.addEventListener('points', ({ data }) => {
    const own = JSON.parse(data).find((one) => one.range === range)
    if (own) addPoints(own)
  })
}

async function showRange(wanted) {
  if (figures.length === 0) return // a page without charts
  const answer = await fetch(`/charts/${wanted}`)
  if (!answer.ok) return
  const data = await answer.json()
  range = wanted
  for (const button of document.querySelectorAll('button[data-range]')) {
    button.setAttribute('aria-pressed', String(button.dataset.range === range))
  }
  for (const figure of figures) {
    const chart = data.charts.find(({ name }) => name === figure.dataset.chart)
    if (chart) draw(figure, data.time, chart)
  }
}

function draw(figure, time, { name, lines, unit }) {
  plots.get(name)?.plot.destroy()
  const style = getComputedStyle(document.documentElement)
  const color = (variable) => style.getPropertyValue(variable).trim()
  const names = Object.keys(lines)
  const axis = {
    stroke: color('--soft'),
    grid: { stroke: color('--line'), width: 1 },
    ticks: { show: false },
  }
  const plot = new uPlot(
    {
      ...sizeOf(figure),
      legend: { show: names.length > 1 },
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), 'Etc/UTC'), // as every other time here
      cursor: { sync: { key: 'signs' } },
      scales: { y: { range: (_, low, high) => [Math.min(0, low ?? 0), Math.max(high ?? 1, 1) * 1.1] } },
      axes: [axis, { ...axis, size: 52 }],
      series: [
        {},
        ...names.map((label, at) => ({
          label,
          stroke: color(`--line-${at % 4}`),
          width: 2,
          spanGaps: true,
          points: { show: true, size: 5, filter: lonePoint },
          value: (_, value) => (value === null || value === undefined ? '–' : `${round(value)} ${unit}`),
        })),
      ],
    },
    [time, ...names.map((line) => lines[line])],
    figure.querySelector('.plot'),
  )
  plots.set(name, { plot, figure, names, unit })
  reportLast(name)
}

/** One value alone makes no line: it is shown as a point. */
function lonePoint(plot, line) {
  const known = plot.data[line].flatMap((value, at) => (value === null || value === undefined ? [] : [at]))
  return known.length === 1 ? known : []
}

/** The last slots anew: the one before the last may have grown since. */
function addPoints({ time, charts }) {
  for (const chart of charts) {
    const known = plots.get(chart.name)
    if (!known) continue
    if (Object.keys(chart.lines).some((line) => !known.names.includes(line))) {
      void showRange(range) // a line that was not there before
      return
    }
    const data = known.plot.data.map((values) => [...values])
    for (const [at, second] of time.entries()) {
      let slot = data[0].indexOf(second)
      if (slot < 0) {
        slot = data[0].push(second) - 1
        for (const values of data.slice(1)) values.push(null)
        for (const values of data) values.shift()
        slot--
      }
      for (const [line, name] of known.names.entries()) data[line + 1][slot] = chart.lines[name]?.[at] ?? null
    }
    known.plot.setData(data)
    reportLast(chart.name)
  }
}

/** The newest values in words, for those who do not see the curve. */
function reportLast(name) {
  const { plot, figure, names, unit } = plots.get(name)
  const last = names.map((line, at) => {
    const value = plot.data[at + 1].findLast((one) => one !== null && one !== undefined)
    return value === undefined ? '' : `${names.length > 1 ? `${line} ` : ''}${round(value)} ${unit}`
  })
  figure.querySelector('.last').textContent = last.filter(Boolean).join(', ') || 'nothing measured yet'
}

function sizeOf(figure) {
  return { width: figure.querySelector('.plot').clientWidth || 300, height: 150 }
}

function round(value) {
  return value >= 100 ? Math.round(value).toLocaleString('en-US') : Number(value.toPrecision(3)).toString()
}
