import { openSqliteReadonly, parseDatabaseUrl, readAuthority, type Authority } from '@outgrow/databases'
import type { GraduationStatus } from '@outgrow/graduate'
import type { MeasuredDatabase } from './database.ts'
import { byLabel, stateSamples, toSeconds, type MetricGroup, type Sample } from './family.ts'

const states = ['none', 'capturing', 'copying', 'following', 'switched', 'completed'] as const

const followsFamily = {
  name: 'outgrow_graduation_follows',
  type: 'gauge',
  help: 'Whether this process uses the database that has the rows; absent where no graduation is known',
} as const

const families = [
  {
    name: 'outgrow_graduation_state',
    type: 'gauge',
    help: 'State of the live graduation, by state: 1 for the one it is in',
  },
  {
    name: 'outgrow_graduation_lag_changes',
    type: 'gauge',
    help: 'Changes that the other side has not applied yet',
  },
  {
    name: 'outgrow_graduation_lag_seconds',
    type: 'gauge',
    help: 'For how long at most the other side has been behind; absent where that is not known',
  },
  {
    name: 'outgrow_graduation_log_room_changes',
    type: 'gauge',
    help: 'Changes that the file’s log takes before it is full',
  },
  {
    name: 'outgrow_graduation_overflowed',
    type: 'gauge',
    help: 'Whether a log of changes was full, so that changes were not logged',
  },
  {
    name: 'outgrow_graduation_verified_timestamp_seconds',
    type: 'gauge',
    help: 'When both sides were last compared; absent before the first time',
  },
  {
    name: 'outgrow_graduation_verified_equal',
    type: 'gauge',
    help: 'Whether both sides were equal when they were last compared',
  },
  {
    name: 'outgrow_graduation_obstacles',
    type: 'gauge',
    help: 'How much stands in the way of the switch; outgrow graduate status names it',
  },
  {
    name: 'outgrow_graduation_processes',
    type: 'gauge',
    help: 'Processes of the application, by state: reaching Postgres, not reaching it, or silent',
  },
] as const

/** Whether a process follows its application's graduation, which the file that it was started with knows. */
export function followsGroup(startUrl: string, database: MeasuredDatabase): MetricGroup {
  return {
    name: 'following',
    families: [followsFamily],
    read: () => {
      const authority = authorityOf(startUrl)
      if (!authority) return undefined
      return [{ name: followsFamily.name, value: Number(database.provider === authority.side) }]
    },
  }
}

/** The graduation of the file that the application was started with. */
export function graduationGroup(startUrl: string, postgresUrl: string | undefined): MetricGroup {
  return {
    name: 'graduation',
    families,
    read: async () => {
      if (parseDatabaseUrl(startUrl).kind !== 'sqlite') return undefined
      if (!authorityOf(startUrl)) return stateSamples('outgrow_graduation_state', states, 'none')
      // Loaded when there is one: most applications do not graduate today.
      const { graduationStatus } = await import('@outgrow/graduate')
      return statusSamples(await graduationStatus({ from: startUrl, to: postgresUrl || undefined }))
    },
  }
}

function statusSamples(status: GraduationStatus): Sample[] {
  const { state, lag, room, overflowed, verified, obstacles, processes } = status
  const silent = processes.filter(({ isSilent }) => isSilent).length
  const reaching = processes.filter(({ isSilent, reaches }) => !isSilent && reaches === true).length
  return [
    ...stateSamples('outgrow_graduation_state', states, state),
    ...(lag ? [{ name: 'outgrow_graduation_lag_changes', value: lag.entries }] : []),
    ...(lag && lag.seconds !== null ? [{ name: 'outgrow_graduation_lag_seconds', value: lag.seconds }] : []),
    ...(room === null ? [] : [{ name: 'outgrow_graduation_log_room_changes', value: room }]),
    { name: 'outgrow_graduation_overflowed', value: Number(overflowed) },
    ...(verified
      ? [
          { name: 'outgrow_graduation_verified_timestamp_seconds', value: toSeconds(verified.at) },
          { name: 'outgrow_graduation_verified_equal', value: Number(verified.isEqual) },
        ]
      : []),
    { name: 'outgrow_graduation_obstacles', value: obstacles.length },
    ...byLabel('outgrow_graduation_processes', 'state', {
      reaching,
      'not-reaching': processes.length - reaching - silent,
      silent,
    }),
  ]
}

function authorityOf(startUrl: string): Authority | undefined {
  const url = parseDatabaseUrl(startUrl)
  if (url.kind !== 'sqlite' || url.path === ':memory:') return undefined
  const file = openSqliteReadonly(url.path)
  try {
    return readAuthority(file)
  } finally {
    file.close()
  }
}
