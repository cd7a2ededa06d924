/** What the handshakes of coordinators and workers say: nothing else connects to them by mistake. */
export const CLUSTER_ID = 'lab-mr'
