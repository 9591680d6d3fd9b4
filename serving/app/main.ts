import { socketIo } from './net/socketIo.ts';
import { Page } from './page.ts';
import { StatusBar } from './views/statusBar.ts';

const open = socketIo();
if (open !== null) new Page(open).start();
else {
  const status = new StatusBar();
  status.link('offline', 0);
  status.banner('The page did not load completely: reload it.');
}
