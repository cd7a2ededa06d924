import { expect, test } from 'vitest'
import { ReadMemory } from '../../src/storage/file/read-memory.ts'

test('what is read for one piece stands side by side, though there was no room for it; the next piece goes to the same memory', () => {
  const memory = new ReadMemory()
  const lengths = [10, 300, 5, 1_000, 0, 700]
  const rooms = lengths.map((length, at) => memory.take(length).fill(at + 1))
  for (const [at, room] of rooms.entries()) {
    expect(room).toHaveLength(lengths[at] ?? -1)
    expect(room.every((byte) => byte === at + 1)).toBe(true)
  }
  memory.begin()
  expect(memory.take(800).buffer).toBe(rooms.at(-1)?.buffer)
})
