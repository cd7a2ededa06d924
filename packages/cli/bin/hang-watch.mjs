// The thread in which `lab grade` watches the other one: who computes without end can neither be interrupted nor say where he is.
import { closeSync, writeSync } from 'node:fs'
import { Session } from 'node:inspector'
import { fileURLToPath } from 'node:url'
import { parentPort, workerData } from 'node:worker_threads'

const { patienceMs } = workerData
/** Whoever is not computing cannot be stopped at a line of his. */
const PAUSE_MS = 2000
let timer

// Each run says its name when it begins.
parentPort.on('message', (run) => {
  clearTimeout(timer)
  timer = setTimeout(hung, patienceMs, run)
})

function hung(run) {
  const session = new Session()
  session.connectToMainThread()
  const giveUp = setTimeout(() => {
    tell(run, '')
    process.kill(process.pid, 'SIGKILL')
  }, PAUSE_MS)
  const urls = new Map()
  session.on('Debugger.scriptParsed', ({ params: { scriptId, url } }) => urls.set(scriptId, url))
  session.on('Debugger.paused', ({ params: { callFrames } }) => {
    clearTimeout(giveUp)
    tell(run, placeIn(callFrames, urls))
    // There Node would tell that it waits for its debugger.
    closeSync(2)
    const [{ callFrameId }] = callFrames
    session.post('Debugger.evaluateOnCallFrame', { callFrameId, expression: 'process.reallyExit(1)' })
  })
  session.post('Debugger.enable')
  session.post('Debugger.pause')
}

/** The innermost frames of the user's own: where it is, and who called that. */
function placeIn(callFrames, urls) {
  const urlOf = ({ location: { scriptId } }) => urls.get(scriptId) ?? ''
  return callFrames
    .filter((frame) => urlOf(frame).startsWith(workerData.folder))
    .slice(0, 3)
    .map((frame, at) => {
      const { functionName, location } = frame
      const place = `${fileURLToPath(urlOf(frame))}:${location.lineNumber + 1}`
      return `\n  ${at === 0 ? 'it is in' : 'called by'} ${functionName || 'a function'} (${place})`
    })
    .join('')
}

// Streams belong to the thread that hangs.
function tell(run, place) {
  const seconds = patienceMs / 1000
  writeSync(
    2,
    `lab: ${run} has not ended after ${seconds} s: a loop without end, or timers that let no time pass?${place}\n`,
  )
}
