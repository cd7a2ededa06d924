/**
 * The name that both ends give a message in their traces without a byte on the wire: the connection, the direction, and
 * the count of messages sent that way.
 */
export function messageId(connectionId: string, isFromDialler: boolean, sequence: number): string {
  return `${connectionId}${isFromDialler ? '>' : '<'}${String(sequence)}`
}
