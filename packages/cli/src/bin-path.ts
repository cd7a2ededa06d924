import { fileURLToPath } from 'node:url'

/** The program itself. This file and the built ones stand one level below the package, so the same path holds for both. */
export const LAB_BIN = fileURLToPath(new URL('../bin/lab.js', import.meta.url))
