/** WebAssembly as far as it is used here. Its types are a browser's, which a package for Node does not load. */
interface Engine {
  readonly Module: new (bytes: Uint8Array) => object
  readonly Instance: new (module: object) => { readonly exports: object }
}

/** Undefined where there is no WebAssembly, or none that takes these bytes (SIMD is there from Node 16.4 on). */
export function compileModule(bytes: Uint8Array): object | undefined {
  const engine = engineHere()
  try {
    return engine && new engine.Module(bytes)
  } catch {
    return undefined
  }
}

/** A new instance, with memory of its own. The caller knows what it exports. */
export function instantiate(module: object): object {
  const engine = engineHere()
  if (engine === undefined) throw new Error('there is no WebAssembly here')
  return new engine.Instance(module).exports
}

function engineHere(): Engine | undefined {
  return (globalThis as { readonly WebAssembly?: Engine }).WebAssembly
}
