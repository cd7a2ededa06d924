// The test reporter: one line a file with its count and time, the lines that lab scenarios print (`Passed …`, `Trace …`) below it,
// every failure in full at the end, and last of all `N passed, N failed, N skipped`.
import { relative } from 'node:path'

const FORWARDED = /^(Passed|Trace|Explored|Campaign) /
/** Of tests that take minutes: shown at once. */
const PROGRESS = /^Progress: /

export default class LabReporter {
  #vitest
  #printed = new Map()
  #started = 0

  onInit(vitest) {
    this.#vitest = vitest
    this.#started = performance.now()
    // Failures stand on stdout too, or a pipe would take them away from their headlines.
    vitest.logger.error = vitest.logger.log.bind(vitest.logger)
  }

  /** Keeps what a scenario prints until its file's line has been written. Everything else that tests print is noise. */
  onUserConsoleLog({ content, taskId }) {
    const file = taskId === undefined ? undefined : this.#vitest.state.idMap.get(taskId)?.file?.id
    for (const line of content.split('\n')) if (PROGRESS.test(line)) print(line)
    const lines = content.split('\n').filter((line) => FORWARDED.test(line))
    if (lines.length > 0) this.#printed.set(file, [...(this.#printed.get(file) ?? []), ...lines])
    if (process.env.LAB_VERBOSE === '1') process.stdout.write(content)
  }

  onTestModuleEnd(module) {
    const tally = tallyOf(module.children.allTests(), this.#pattern())
    const broken = module.errors().length > 0
    if (tally.total === 0 && !broken) return
    const mark = tally.failed > 0 || broken || suiteErrors(module).length > 0 ? '✗' : '✓'
    const parts = [
      `${tally.passed} passed`,
      tally.failed > 0 ? `${tally.failed} failed` : '',
      tally.skipped > 0 ? `${tally.skipped} skipped` : '',
    ]
    const count = broken ? 'could not be loaded' : parts.filter((part) => part !== '').join(', ')
    print(`${mark} ${this.#nameOf(module)}  ${count}  ${seconds(module.diagnostic().duration)}`)
    for (const line of this.#printed.get(module.id) ?? []) print(`    ${line}`)
    this.#printed.delete(module.id)
  }

  onTestRunEnd(modules, unhandledErrors, reason) {
    const pattern = this.#pattern()
    const tally = tallyOf(
      modules.flatMap((module) => [...module.children.allTests()]),
      pattern,
    )
    const outsideTests = this.#printFailures(modules, unhandledErrors)
    print(
      `\n${modules.length} ${modules.length === 1 ? 'file' : 'files'}, ${seconds(performance.now() - this.#started)}`,
    )
    if (reason === 'interrupted') print('interrupted: the rest did not run')
    if (tally.total === 0 && outsideTests === 0) {
      print(pattern === undefined ? 'no test was found' : `no test has a name that matches ${pattern}`)
      process.exitCode = 1
    }
    // A file that does not load and an error outside any test are failures too, or the line would read as if all was well.
    print(`${tally.passed} passed, ${tally.failed + outsideTests} failed, ${tally.skipped} skipped`)
  }

  /** Returns how many failures belong to no test: files that did not load, hooks, unhandled errors. */
  #printFailures(modules, unhandledErrors) {
    let outsideTests = 0
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        const { errors = [] } = test.result()
        if (errors.length > 0) this.#printFailure(module, test.fullName, errors)
      }
      const errors = [...module.errors(), ...suiteErrors(module)]
      if (errors.length > 0) this.#printFailure(module, '(outside a test)', errors)
      outsideTests += errors.length
    }
    if (unhandledErrors.length > 0) this.#vitest.logger.printUnhandledErrors(unhandledErrors)
    return outsideTests + unhandledErrors.length
  }

  #printFailure(module, title, errors) {
    print(`\n✗ ${this.#nameOf(module)} > ${title}`)
    for (const error of errors) this.#vitest.logger.printError(error, { project: module.project })
  }

  #nameOf(module) {
    return relative(this.#vitest.config.root, module.moduleId).replaceAll('\\', '/')
  }

  #pattern() {
    return this.#vitest.config.testNamePattern
  }
}

/** Counts the tests that were asked for: one that the name filter left out was not skipped. */
function tallyOf(tests, pattern) {
  const tally = { passed: 0, failed: 0, skipped: 0, total: 0 }
  for (const test of tests) {
    if (pattern !== undefined && !pattern.test(test.fullName.replaceAll(' > ', ' '))) continue
    const { state } = test.result()
    tally.total++
    if (state === 'passed') tally.passed++
    else if (state === 'failed') tally.failed++
    else tally.skipped++
  }
  return tally
}

function suiteErrors(module) {
  return [...module.children.allSuites()].flatMap((suite) => suite.errors())
}

function seconds(ms) {
  return `${(ms / 1000).toFixed(1)} s`
}

function print(line) {
  process.stdout.write(`${line}\n`)
}
