import { setFlagsFromString } from 'node:v8'

/**
 * Has V8 begin full collections only when the room for them is nearly used up.
 *
 * By default it begins one as soon as the room that is left, less the buffers outside the heap made since the last one, is no
 * more than the young generation. With a heap as small as a server's that is some 7 MB of buffers: a busy server's sockets and
 * log make them several times a second, and nearly all are free again with the next young collection.
 *
 * How much room there is follows from how fast a program makes objects. A server makes few beside its buffers, and V8 gives it 8 MB
 * and the young generation: some 24 MB. It gives others up to three times their heap; a server gets twice its own.
 */
export function collectLater(): void {
  setFlagsFromString('--incremental-marking-soft-trigger=80')
  setFlagsFromString('--incremental-marking-hard-trigger=95')
  setFlagsFromString('--heap-growing-percent=200')
}
