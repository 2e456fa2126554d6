import { Command } from "commander";
import { hierarchyTree, treeFaults } from "../../market/hierarchy-tree.ts";
import { members } from "../../market/members.ts";
import type { Operator } from "../../market/operator.ts";
import { dataOption } from "../common-options.ts";
import { printJson, printLine, printTable } from "../output.ts";
import { TREE_COLUMNS, treeObject, treeRows } from "../tree-rows.ts";
import { withOperator } from "../with-operator.ts";

interface TreeOptions {
  readonly data: string;
  readonly jobs?: true;
  readonly json?: true;
}

async function tree({ hierarchy }: Operator, { jobs, json }: TreeOptions): Promise<void> {
  const found = await members(hierarchy);
  const roles = hierarchyTree(hierarchy.topology, hierarchy.view, found);
  const faults = treeFaults(roles);
  if (faults.length > 0) process.exitCode = 1;
  if (json === true) {
    printJson({ tops: roles.map(treeObject), faults });
    return;
  }
  printTable(TREE_COLUMNS, treeRows(roles, jobs === true));
  for (const fault of faults) printLine(fault);
}

/** `evercross tree`: exit code 0 only when each role is played by exactly one process. */
export function treeCommand(): Command {
  return new Command("tree")
    .description(
      "show the living hierarchy: who plays each role, what is below it, what is missing or there twice",
    )
    .addOption(dataOption())
    .option("--jobs", "show every job too")
    .option("--json", "print one JSON object")
    .action((options: TreeOptions) => withOperator(options.data, (operator) => tree(operator, options)));
}
