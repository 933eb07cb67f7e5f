// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

/// @notice The rewards tree in plain Solidity: what the walk is checked against.
library Tree {
    struct Walked {
        bytes32[] proof;
        bytes steps;
    }

    function leaf(address account, address token, uint256 claimable) internal pure returns (bytes32) {
        return keccak256(bytes.concat(keccak256(abi.encode(account, token, claimable))));
    }

    function join(bytes32 a, bytes32 b) internal pure returns (bytes32) {
        return a < b ? keccak256(abi.encode(a, b)) : keccak256(abi.encode(b, a));
    }

    /// @dev Level by level; an odd last node moves up unchanged.
    function root(bytes32[] memory leaves) internal pure returns (bytes32) {
        if (leaves.length == 0) return 0;
        while (leaves.length > 1) leaves = _above(leaves);
        return leaves[0];
    }

    function proof(bytes32[] memory leaves, uint256 index) internal pure returns (bytes32[] memory path) {
        path = new bytes32[](0);
        while (leaves.length > 1) {
            uint256 sibling = index ^ 1;
            if (sibling < leaves.length) path = _append(path, leaves[sibling]);
            leaves = _above(leaves);
            index /= 2;
        }
    }

    /// @dev The post-order walk that proves the wanted leaves.
    function walk(bytes32[] memory leaves, bool[] memory wanted) internal pure returns (Walked memory walked) {
        uint256 size = 1;
        while (size < leaves.length) size *= 2;
        _walk(leaves, wanted, 0, size, walked);
    }

    function _walk(bytes32[] memory leaves, bool[] memory wanted, uint256 from, uint256 size, Walked memory walked)
        private
        pure
    {
        uint256 half = size / 2;
        if (!_anyWanted(wanted, from, size)) {
            walked.proof = _append(walked.proof, _subroot(leaves, from, size));
            walked.steps = bytes.concat(walked.steps, hex"80");
        } else if (size == 1) {
            walked.steps = bytes.concat(walked.steps, hex"00");
        } else {
            _walk(leaves, wanted, from, half, walked);
            if (from + half >= leaves.length) return;
            _walk(leaves, wanted, from + half, half, walked);
            uint256 last = walked.steps.length - 1;
            walked.steps[last] = bytes1(uint8(walked.steps[last]) + 1);
        }
    }

    function _subroot(bytes32[] memory leaves, uint256 from, uint256 size) private pure returns (bytes32) {
        if (size == 1) return leaves[from];
        bytes32 left = _subroot(leaves, from, size / 2);
        if (from + size / 2 >= leaves.length) return left;
        return join(left, _subroot(leaves, from + size / 2, size / 2));
    }

    function _anyWanted(bool[] memory wanted, uint256 from, uint256 size) private pure returns (bool) {
        for (uint256 i = from; i < from + size && i < wanted.length; ++i) {
            if (wanted[i]) return true;
        }
        return false;
    }

    function _above(bytes32[] memory nodes) private pure returns (bytes32[] memory above) {
        above = new bytes32[]((nodes.length + 1) / 2);
        for (uint256 i = 0; i < above.length; ++i) {
            above[i] = 2 * i + 1 < nodes.length ? join(nodes[2 * i], nodes[2 * i + 1]) : nodes[2 * i];
        }
    }

    function _append(bytes32[] memory list, bytes32 item) private pure returns (bytes32[] memory longer) {
        longer = new bytes32[](list.length + 1);
        for (uint256 i = 0; i < list.length; ++i) {
            longer[i] = list[i];
        }
        longer[list.length] = item;
    }
}
