/** The test kit, for applications that embed Doorward and for stages of one's own. */
export { type DeskOptions, deskFor, testUser } from './desk.ts';
export { createRig, openHasher, type Rig, Visitor, type VisitorOptions } from './rig.ts';
