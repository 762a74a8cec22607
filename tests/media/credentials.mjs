// Another author's reading of C2PA: validates each file named, one JSON line for each.
import { readFileSync } from 'node:fs';
import { BMFF } from '@trustnxt/c2pa-ts/asset';
import { SuperBox } from '@trustnxt/c2pa-ts/jumbf';
import { ManifestStore } from '@trustnxt/c2pa-ts/manifest';

// It reads boxes of any brand, and opens files of two.
BMFF.canReadBrands.add('iso6');

for (const path of process.argv.slice(2)) {
  const file = new BMFF(new Uint8Array(readFileSync(path)));
  const manifests = ManifestStore.read(SuperBox.fromBuffer(file.getManifestJUMBF()));
  const result = await manifests.validate(file);
  const failed = result.statusEntries.filter((one) => !one.success).map((one) => one.code);
  console.log(JSON.stringify({ valid: result.isValid, failed }));
}
