// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {Walk} from "../Walk.sol";
import {Tree} from "./Tree.sol";
import {vm} from "./Vm.sol";

contract Walker {
    function rootOf(
        address token,
        address[] calldata accounts,
        uint256[] calldata claimables,
        bytes32[] calldata proof,
        bytes calldata steps
    ) external pure returns (bytes32) {
        return Walk.rootOf(token, accounts, claimables, proof, steps);
    }

    function rootAbove(bytes32 leaf, bytes32[] calldata proof) external pure returns (bytes32) {
        return Walk.rootAbove(leaf, proof);
    }
}

/// @notice The walk in assembly against the reference tree in plain Solidity.
contract WalkFuzzTest {
    address private constant TOKEN = address(0x7070);
    uint256 private constant MOST = 70;

    struct Run {
        bytes32 root;
        address[] accounts;
        uint256[] claimables;
        bytes32[] proof;
        bytes steps;
    }

    Walker private walker = new Walker();

    function test_every_tree_size_proves_all_its_leaves() public view {
        for (uint256 n = 1; n <= MOST; ++n) {
            Run memory run = make(n, 1, type(uint256).max);
            vm.assertEq(run.proof.length, 0);
            vm.assertEq(walk(run), run.root);
        }
    }

    function test_a_single_leaf_takes_the_usual_proof() public view {
        for (uint256 n = 1; n <= 20; ++n) {
            Run memory run = make(n, n, 0);
            vm.assertEq(run.accounts.length, 1);
            vm.assertEq(uint8(run.steps[0]) & 0x80, 0);
            vm.assertEq(walk(run), run.root);
        }
    }

    function testFuzz_a_usual_proof_leads_where_OpenZeppelin_says(bytes32 leaf, bytes32[] calldata proof) public view {
        vm.assertEq(walker.rootAbove(leaf, proof), MerkleProof.processProof(proof, leaf));
    }

    function testFuzz_random_subsets_lead_to_the_root(uint256 seed, uint256 subset) public view {
        Run memory run = make(1 + seed % MOST, seed, subset);
        vm.assertEq(walk(run), run.root);
    }

    function testFuzz_one_wrong_bit_leads_elsewhere(uint256 seed, uint256 subset, uint8 bit) public view {
        Run memory run = make(1 + seed % MOST, seed, subset);
        uint256 place = subset % run.accounts.length;
        run.claimables[place] ^= 1 << bit;
        vm.assertTrue(walk(run) != run.root);
        run.claimables[place] ^= 1 << bit;

        address account = run.accounts[place];
        run.accounts[place] = address(uint160(account) ^ uint160(1 << (bit % 160)));
        vm.assertTrue(walk(run) != run.root);
        run.accounts[place] = account;

        if (run.proof.length != 0) {
            run.proof[subset % run.proof.length] ^= bytes32(1 << bit);
            vm.assertTrue(walk(run) != run.root);
        }
    }

    function testFuzz_changed_steps_never_lead_to_the_root(uint256 seed, uint256 subset, uint8 wrong) public view {
        Run memory run = make(2 + seed % (MOST - 1), seed, subset);
        uint256 place = seed % run.steps.length;
        if (uint8(run.steps[place]) == wrong) return;
        run.steps[place] = bytes1(wrong);
        // Either refused or another tree.
        (bool ok, bytes memory answer) = address(walker)
            .staticcall(abi.encodeCall(walker.rootOf, (TOKEN, run.accounts, run.claimables, run.proof, run.steps)));
        if (ok) vm.assertTrue(abi.decode(answer, (bytes32)) != run.root);
        else vm.assertEq(bytes32(bytes4(answer)), bytes32(Walk.BadRun.selector));
    }

    function testFuzz_arbitrary_steps_end_in_a_root_or_in_BadRun(bytes calldata steps, uint256 seed) public view {
        Run memory run = make(1 + seed % 8, seed, type(uint256).max);
        (bool ok, bytes memory answer) = address(walker)
            .staticcall(abi.encodeCall(walker.rootOf, (TOKEN, run.accounts, run.claimables, run.proof, steps)));
        if (!ok) vm.assertEq(bytes32(bytes4(answer)), bytes32(Walk.BadRun.selector));
    }

    function walk(Run memory run) private view returns (bytes32) {
        return walker.rootOf(TOKEN, run.accounts, run.claimables, run.proof, run.steps);
    }

    /// @dev A tree of n leaves and the walk of those whose bit is set in `subset`, one at least.
    function make(uint256 n, uint256 seed, uint256 subset) private pure returns (Run memory run) {
        bytes32[] memory leaves = new bytes32[](n);
        bool[] memory wanted = new bool[](n);
        uint256 count;
        for (uint256 i = 0; i < n; ++i) {
            wanted[i] = (subset >> i) & 1 == 1 || i == seed % n;
            if (wanted[i]) ++count;
        }
        run.accounts = new address[](count);
        run.claimables = new uint256[](count);
        count = 0;
        for (uint256 i = 0; i < n; ++i) {
            address account = address(uint160(uint256(keccak256(abi.encode(seed, i)))));
            uint256 claimable = uint256(keccak256(abi.encode(account)));
            leaves[i] = Tree.leaf(account, TOKEN, claimable);
            if (!wanted[i]) continue;
            run.accounts[count] = account;
            run.claimables[count++] = claimable;
        }
        run.root = Tree.root(leaves);
        Tree.Walked memory walked = Tree.walk(leaves, wanted);
        run.proof = walked.proof;
        run.steps = walked.steps;
    }
}
