import { dashboardRows, type Panel } from './dashboard-panels.ts'

const datasource = { type: 'prometheus', uid: '${datasource}' }
const widthOfAll = 24
const statWidth = 4
const linesWidth = 8
const statHeight = 4
const linesHeight = 7

/** The dashboard as Grafana reads it; the data source is chosen in it. */
export function dashboardFile(): string {
  let id = 1
  let y = 0
  const panels = dashboardRows.flatMap(({ title, panels }) => {
    const row = { id: id++, type: 'row', title, collapsed: false, gridPos: { x: 0, y, w: widthOfAll, h: 1 } }
    y += 1
    const [width, height] = panels[0]?.kind === 'stat' ? [statWidth, statHeight] : [linesWidth, linesHeight]
    const perRow = widthOfAll / width
    const placed = panels.map((panel, at) =>
      panelOf(panel, id++, {
        x: (at % perRow) * width,
        y: y + Math.floor(at / perRow) * height,
        w: width,
        h: height,
      }),
    )
    y += Math.ceil(panels.length / perRow) * height
    return [row, ...placed]
  })
  const dashboard = {
    uid: 'outgrow',
    title: 'Outgrow',
    tags: ['outgrow'],
    description: 'Written by outgrow monitor.',
    schemaVersion: 39,
    editable: true,
    refresh: '30s',
    time: { from: 'now-6h', to: 'now' },
    templating: {
      list: [
        { name: 'datasource', label: 'Data source', type: 'datasource', query: 'prometheus', current: {} },
      ],
    },
    panels,
  }
  return `${JSON.stringify(dashboard, undefined, 2)}\n`
}

function panelOf({ title, unit, kind, queries, limit }: Panel, id: number, gridPos: object): object {
  const steps = [
    { color: 'green', value: null },
    ...(limit === undefined ? [] : [{ color: 'red', value: limit }]),
  ]
  return {
    id,
    title,
    type: kind === 'stat' ? 'stat' : 'timeseries',
    datasource,
    gridPos,
    fieldConfig: {
      defaults: {
        unit,
        thresholds: { mode: 'absolute', steps },
        ...(kind === 'lines' && limit !== undefined && { custom: { thresholdsStyle: { mode: 'dashed' } } }),
      },
      overrides: [],
    },
    targets: queries.map(({ expr, legend }, at) => ({
      refId: String.fromCodePoint(65 + at),
      datasource,
      expr,
      legendFormat: legend,
    })),
  }
}
