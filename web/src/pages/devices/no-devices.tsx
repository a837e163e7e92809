/** What is said where no Pi was seen yet. */
import { Button, Group, Paper, Stack, Text, Title } from "@mantine/core";
import { Link } from "@tanstack/react-router";

export function NoDevices() {
	return (
		<Paper withBorder p="xl" ta="center">
			<Stack align="center" gap="xs">
				<Title order={2} size="h3">
					No Pi yet
				</Title>
				<Text c="dimmed" maw="34rem">
					A Pi appears here by itself as soon as it asks to be booted from the network. The guide shows how to make it
					ask, and has a virtual one if none is at hand.
				</Text>
				<Group mt="sm">
					<Button component={Link} to="/guide">
						Set up the first Pi
					</Button>
				</Group>
			</Stack>
		</Paper>
	);
}
