// A small TCP proxy that can be cut and laid again, or let no WebSocket through: the network between browser and server.
const net = require('node:net');

async function lay(target) {
  const { hostname, port } = new URL(target);
  const open = new Set();
  let barred = false;
  const server = net.createServer((near) => {
    const far = net.connect(Number(port), hostname);
    for (const socket of [near, far]) {
      open.add(socket);
      socket.on('close', () => open.delete(socket));
      socket.on('error', () => { near.destroy(); far.destroy(); });
    }
    near.on('data', (bytes) => { if (barred && bytes.includes('/socket?ticket=')) { near.destroy(); far.destroy(); } });
    near.pipe(far);
    far.pipe(near);
  });
  const listen = (wanted) => new Promise((resolve) => { server.listen(wanted, '127.0.0.1', resolve); });
  await listen(0);
  const own = server.address().port;
  return {
    base: `http://127.0.0.1:${own}`,
    cut: () => new Promise((resolve) => { server.close(resolve); open.forEach((socket) => socket.destroy()); }),
    lay: () => listen(own),
    bar: (sockets) => { barred = sockets; },
    end: () => { server.close(); open.forEach((socket) => socket.destroy()); },
  };
}

module.exports = { lay };
