/** The test kit, for applications that embed Doorward and for stages and policies of one's own. */
export { type DeskOptions, deskFor, testUser } from './desk.ts';
export { type PolicyDeskOptions, policyDeskFor } from './policy-desk.ts';
export { createRig, openHasher, type Rig, Visitor, type VisitorOptions } from './rig.ts';
